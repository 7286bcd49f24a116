// While a scan runs the server tells what changes (server-sent events), and the parts of the page that show it are
// fetched. Where it cannot tell, or this file is missing, they are fetched every few seconds.
"use strict";

kinfolk.onPage((page, signal) => {
  const QUIET = 60_000; // ms: how long to poll after the server said so, or refused
  let source = null;
  let pollUntil = 0;

  const sign = () => page.querySelector("#scan");
  // An open stream says nothing yet: Home Assistant before 2026.1 holds everything back until the end.
  let heard = false;
  const told = () => heard && source !== null && source.readyState === EventSource.OPEN;
  const tell = (name) => htmx.trigger(document.body, `kinfolk:${name}`);

  function hangUp() {
    source?.close();
    source = null;
    heard = false;
  }

  function listen() {
    const address = sign()?.dataset.stream;
    if (address === undefined || document.hidden || Date.now() < pollUntil) return hangUp();
    if (source !== null) return;
    source = new EventSource(address);
    source.addEventListener("scan", () => { heard = true; tell("scan"); });
    source.addEventListener("people", () => tell("people"));
    source.addEventListener("poll", () => { pollUntil = Date.now() + QUIET; hangUp(); });
    source.addEventListener("done", () => { hangUp(); tell("scan"); tell("people"); });
    source.addEventListener("error", () => {
      if (source?.readyState !== EventSource.CLOSED) return; // it tries again by itself
      pollUntil = Date.now() + QUIET;
      hangUp();
    });
  }

  // A poll is not needed while the server tells; and what somebody is choosing from must not change under the hand.
  page.addEventListener("htmx:beforeRequest", (event) => {
    const part = event.detail.elt;
    if (!part.matches("[data-live]")) return;
    const polled = event.detail.requestConfig.triggeringEvent === undefined;
    const people = part.id === "people-live" ? page.querySelector("#people") : null;
    const inUse = people?.contains(part.getRootNode().activeElement) || people?.querySelector("input:checked");
    if ((polled && told()) || inUse) event.preventDefault();
  });

  let scanning = false;
  page.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.elt.id !== "scan") return;
    const now = sign()?.dataset.stream !== undefined;
    if (scanning && !now) tell("people"); // the last ones
    scanning = now;
    listen();
  });
  document.addEventListener("visibilitychange", listen, { signal });
  window.addEventListener("pagehide", hangUp, { signal });
  window.addEventListener("pageshow", listen, { signal });
  signal.addEventListener("abort", hangUp);
  scanning = sign()?.dataset.stream !== undefined;
  listen();
});

// Kinfolk inside Nextcloud: fetches Kinfolk's pages through the proxy of AppAPI and shows them in `#content`.
// The pages live in a shadow root, so that neither style sheet reaches the other. They need no script of their own.
(() => {
  "use strict";
  const proxy = new URL("../..", document.currentScript.src).pathname.replace(/\/$/, "");
  const [, embedded] = location.pathname.match(/^(.*\/embedded\/[^/]+\/people)(?:\/|$)/) || [];
  const content = document.getElementById("content");
  if (!embedded || !content) return;

  const host = document.createElement("div");
  host.id = "kinfolk";
  const shadow = host.attachShadow({ mode: "open" });
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = `${proxy}/nextcloud/style.css`;
  const page = document.createElement("div");
  page.className = "kinfolk";
  page.tabIndex = -1;
  shadow.append(style, page);
  content.replaceChildren(host);

  const known = "kinfolk-session";
  let turn = 0;

  // Addresses: `proxy + path` is where a page is fetched, `embedded + path` what the address bar shows.
  const pathOf = (address) => {
    const url = new URL(address, location.href);
    const inside = url.origin === location.origin && (url.pathname === proxy || url.pathname.startsWith(`${proxy}/`));
    return inside ? (url.pathname.slice(proxy.length) || "/") + url.search + url.hash : null;
  };
  const shown = () => location.pathname.slice(embedded.length) + location.search + location.hash || "/";

  async function ask(path, options = {}) {
    const headers = { ...options.headers, "X-Kinfolk-Base": proxy, "X-Kinfolk-Session": sessionStorage.getItem(known) || "" };
    const answer = await fetch(proxy + path.split("#")[0], { ...options, headers, credentials: "same-origin" });
    const session = answer.headers.get("X-Kinfolk-Session");
    if (session !== null) sessionStorage.setItem(known, session);
    return answer;
  }

  async function show(path, options) {
    const mine = ++turn;
    page.setAttribute("aria-busy", "true");
    try {
      let answer = await ask(path, options);
      for (let hops = 0; hops < 5 && answer.headers.has("X-Kinfolk-Location"); hops += 1) {
        path = pathOf(answer.headers.get("X-Kinfolk-Location")) || "/";
        answer = await ask(path);
      }
      const text = await answer.text();
      // Somebody went on meanwhile: the later page counts.
      if (mine !== turn) return null;
      const parsed = new DOMParser().parseFromString(text, "text/html");
      page.lang = parsed.documentElement.lang;
      page.replaceChildren(...parsed.body.childNodes);
      document.title = parsed.title;
      const anchor = path.split("#")[1];
      const target = anchor && shadow.getElementById(anchor);
      if (target) target.scrollIntoView();
      else host.scrollTop = 0;
      (page.querySelector("[autofocus]") || page).focus({ preventScroll: true });
      return path;
    } catch {
      // The only sign that needs no language: no page came that could say it in one.
      if (mine === turn) {
        const again = document.createElement("a");
        again.href = location.href;
        again.textContent = "Kinfolk ↻";
        page.replaceChildren(again);
      }
      return null;
    } finally {
      page.removeAttribute("aria-busy");
    }
  }

  async function go(path, options) {
    const there = await show(path, options);
    if (there !== null && there !== shown()) history.pushState(null, "", embedded + there);
  }

  shadow.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || link.target || link.hasAttribute("download")) return;
    const within = link.getAttribute("href").startsWith("#");
    if (within) {
      event.preventDefault();
      shadow.getElementById(link.getAttribute("href").slice(1))?.scrollIntoView();
      return;
    }
    const path = pathOf(link.href);
    if (path === null) return;
    event.preventDefault();
    go(path);
  });

  shadow.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    const button = event.submitter;
    // Not `form.action`: a field of that name would hide it.
    const path = pathOf(button?.getAttribute("formaction") ?? form.getAttribute("action") ?? proxy + shown());
    if (path === null) return;
    const fields = new FormData(form, button);
    const asGet = (button?.getAttribute("formmethod") ?? form.getAttribute("method") ?? "get").toLowerCase() === "get";
    if (asGet) {
      go(`${path.split(/[?#]/)[0]}?${new URLSearchParams(fields)}`);
      return;
    }
    // Repeated fields get lost in what Nextcloud makes of multipart, so only files are sent that way.
    const files = [...fields.values()].some((value) => value instanceof File);
    go(path, { method: "POST", body: files ? fields : new URLSearchParams(fields) });
  });

  // Where Kinfolk led on to another page, the address bar says that one.
  async function stay() {
    const there = await show(shown());
    if (there !== null && there !== shown()) history.replaceState(null, "", embedded + there);
  }

  window.addEventListener("popstate", stay);
  stay();
})();

// Kinfolk inside Nextcloud: fetches Kinfolk's pages through the proxy of AppAPI and shows them in `#content`.
// The pages live in a shadow root, so that neither style sheet reaches the other. Their scripts run with each page anew
// (`static/js/page.js`); what they need is loaded once, through the proxy, and only from Kinfolk itself.
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
  const blank = () => Object.assign(document.createElement("div"), { className: "kinfolk", tabIndex: -1 });
  let page = blank();
  let life = new AbortController(); // of the page
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

  const headersOfOurs = () => ({
    "X-Kinfolk-Base": proxy, "X-Kinfolk-From": shown().split("#")[0], "X-Kinfolk-Session": sessionStorage.getItem(known) || "",
  });

  // Keeps the session of an answer; where it leads on to, or null.
  function remember(header) {
    const session = header("X-Kinfolk-Session");
    if (session !== null) sessionStorage.setItem(known, session);
    return header("X-Kinfolk-Location");
  }

  async function ask(path, options = {}) {
    const headers = { ...options.headers, ...headersOfOurs() };
    const answer = await fetch(proxy + path.split("#")[0], { ...options, headers, credentials: "same-origin" });
    remember((name) => answer.headers.get(name));
    return answer;
  }

  // Scripts: what each does with a page, by its address.
  const starts = new Map();
  globalThis.kinfolk = {
    onPage: (start) => starts.set(document.currentScript.src, start),
    follow: (address) => go(pathOf(address) ?? "/", {}, true),
  };

  const loads = new Map();
  function loaded(address) {
    if (!loads.has(address)) {
      loads.set(address, new Promise((done) => {
        const script = document.createElement("script");
        script.src = address;
        script.async = false; // several come at once, and run in their order
        // One that does not come is missed by its page only, which works without.
        script.addEventListener("load", done);
        script.addEventListener("error", () => { loads.delete(address); done(); });
        document.head.append(script);
      }));
    }
    return loads.get(address);
  }

  async function enliven(head, shownPage, signal) {
    const said = head.querySelector('meta[name="htmx-config"]');
    if (said && !document.head.querySelector('meta[name="htmx-config"]')) {
      // The address bar says where Nextcloud shows the page, which htmx does not know.
      said.content = JSON.stringify({ ...JSON.parse(said.content), historyEnabled: false });
      document.head.append(said);
    }
    shownPage.addEventListener("htmx:configRequest", (event) => Object.assign(event.detail.headers, headersOfOurs()));
    shownPage.addEventListener("htmx:beforeOnLoad", (event) => {
      const elsewhere = remember((name) => event.detail.xhr.getResponseHeader(name));
      if (elsewhere === null) return;
      event.preventDefault();
      go(pathOf(elsewhere) ?? "/");
    });
    const addresses = [...head.querySelectorAll("script[src]")].map((script) => new URL(script.getAttribute("src"), location.href).href);
    const ours = addresses.filter((address) => pathOf(address)?.startsWith("/static/"));
    await Promise.all(ours.map(loaded));
    if (signal.aborted) return;
    for (const address of ours) starts.get(address)?.(shownPage, signal);
    globalThis.htmx?.process(shownPage);
    shownPage.dataset.alive = "";
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
      const next = blank();
      next.lang = parsed.documentElement.lang;
      next.append(...parsed.body.childNodes);
      life.abort();
      life = new AbortController();
      page.replaceWith(next);
      page = next;
      document.title = parsed.title;
      const anchor = path.split("#")[1];
      const target = anchor && shadow.getElementById(anchor);
      if (target) target.scrollIntoView();
      else host.scrollTop = 0;
      (page.querySelector("[autofocus]") || page).focus({ preventScroll: true });
      enliven(parsed.head, page, life.signal);
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

  async function go(path, options, inPlace = false) {
    const there = await show(path, options);
    if (there === null || there === shown()) return;
    if (inPlace) history.replaceState(null, "", embedded + there);
    else history.pushState(null, "", embedded + there);
  }

  shadow.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    // What a script of the page did with it is done.
    if (event.defaultPrevented || !link || !plain || link.hasAttribute("target") || link.hasAttribute("download")) return;
    // Not `link.href`, nor `link.target`: boxes around faces are links of SVG, where these are objects.
    const address = link.getAttribute("href");
    if (address.startsWith("#")) {
      event.preventDefault();
      shadow.getElementById(address.slice(1))?.scrollIntoView();
      return;
    }
    const path = pathOf(address);
    if (path === null) return;
    event.preventDefault();
    go(path);
  });

  shadow.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
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

// What the scripts of single pages share. A page is the document or, inside Nextcloud, an element in a shadow root that
// is thrown away when the next page comes. So each script says what it does with one page, until its signal says stop.
"use strict";

globalThis.kinfolk = {
  onPage(start) {
    start(document, new AbortController().signal);
  },
  follow(address) {
    window.location.replace(address);
  },
  // Calls `pressed` for keys that are meant for the page: with the event, and the element that has the focus.
  keys(page, signal, pressed) {
    document.addEventListener("keydown", (event) => {
      const [focused] = event.composedPath();
      if (event.ctrlKey || event.metaKey || event.altKey || (focused !== document.body && !page.contains(focused))) return;
      pressed(event, focused);
    }, { signal });
  },
  // Inside Nextcloud `embedded.js` came first, and knows better what a page is.
  ...globalThis.kinfolk,
};

// Review by keys (y n s, u to undo) and by swiping; without this file the buttons do the same.
"use strict";

kinfolk.onPage((page, signal) => {
  const typing = (element) => element.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;

  kinfolk.keys(page, signal, (event, focused) => {
    if (event.repeat || typing(focused)) return;
    const key = event.key.toLowerCase();
    const button = (key === "u" && page.querySelector("#undo")) || page.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (button === null) return;
    event.preventDefault();
    button.click();
  });

  const FAR = 80; // px: clearly sideways, and more than a tap that slips
  let start = null;

  page.addEventListener("touchstart", (event) => {
    start = event.touches.length === 1 && event.target.closest("#question") ? event.touches[0] : null;
  }, { passive: true });

  page.addEventListener("touchend", (event) => {
    const end = event.changedTouches[0];
    if (start === null) return;
    const across = end.clientX - start.clientX;
    const down = end.clientY - start.clientY;
    start = null;
    if (Math.abs(across) < FAR || Math.abs(across) < 2 * Math.abs(down)) return;
    page.querySelector(`[data-key="${across > 0 ? "y" : "n"}"]`)?.click();
  }, { passive: true });
});

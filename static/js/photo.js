// One photo: next and previous by arrow keys, names on touch. Without this file links and names are there as well.
"use strict";

kinfolk.onPage((page, signal) => {
  const typing = (element) => element.closest("input, textarea, select, summary, [contenteditable]") !== null;

  kinfolk.keys(page, signal, (event, focused) => {
    if (event.shiftKey || event.repeat || typing(focused)) return;
    const rel = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
    const link = rel && page.querySelector(`a[rel="${rel}"]`);
    if (!link) return;
    event.preventDefault();
    link.click();
  });

  const stage = page.querySelector("#stage");

  // A finger has no hover: the first touch shows all names, a touch beside the faces takes boxes and names away, or back.
  stage?.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" || stage.classList.contains("drawing")) return;
    const known = stage.classList.contains("touched");
    stage.classList.add("touched");
    if (event.target.closest(".box") === null && known) stage.classList.toggle("bare");
  });
});

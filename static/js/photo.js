// One photo: next and previous by arrow keys, names on touch. Without this file links and names are there as well.
"use strict";

const typing = (element) => element.closest("input, textarea, select, summary, [contenteditable]") !== null;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.repeat || typing(event.target)) return;
  const rel = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  const link = rel && document.querySelector(`a[rel="${rel}"]`);
  if (!link) return;
  event.preventDefault();
  link.click();
});

const stage = document.getElementById("stage");

// A finger has no hover: the first touch shows all names, a touch beside the faces takes boxes and names away, or back.
stage?.addEventListener("pointerdown", (event) => {
  if (event.pointerType === "mouse" || stage.classList.contains("drawing")) return;
  const known = stage.classList.contains("touched");
  stage.classList.add("touched");
  if (event.target.closest(".box") === null && known) stage.classList.toggle("bare");
});

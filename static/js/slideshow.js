// The slideshow goes on by itself: Play and Pause, space and arrow keys. Without this file the links do.
"use strict";

kinfolk.onPage((page, signal) => {
  const button = page.querySelector("#play");
  const STATE = "kinfolk slideshow"; // whether it plays, until the window is closed
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  // Who asked for less motion starts it by hand.
  let playing = (sessionStorage.getItem(STATE) ?? (still ? "paused" : "playing")) === "playing";
  let timer = 0;

  const follow = (link) => link && kinfolk.follow(link);

  function show() {
    button.dataset.playing = String(playing);
    clearTimeout(timer);
    if (playing) timer = setTimeout(follow, 1000 * Number(button.dataset.seconds), button.dataset.next);
  }

  function toggle() {
    playing = !playing;
    sessionStorage.setItem(STATE, playing ? "playing" : "paused");
    show();
  }

  button.hidden = false;
  button.addEventListener("click", toggle);
  page.querySelector("#close").addEventListener("click", () => sessionStorage.removeItem(STATE));

  for (const link of page.querySelectorAll("[rel=prev], [rel=next]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault(); // one step back leads out of the slideshow, not through all of it
      follow(link.href);
    });
  }

  kinfolk.keys(page, signal, (event, focused) => {
    if (event.key === "ArrowLeft") follow(page.querySelector("[rel=prev]")?.href);
    else if (event.key === "ArrowRight") follow(page.querySelector("[rel=next]")?.href);
    else if (event.key === "Escape") page.querySelector("#close").click();
    else if (event.key === " " && focused !== button) toggle();
    else return;
    event.preventDefault();
  });

  signal.addEventListener("abort", () => clearTimeout(timer));
  show();
});

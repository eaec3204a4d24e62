// Following a running log: asks for what came after the last byte shown. Without this script the
// page's own "Refresh" does the same by hand.
"use strict";
(() => {
  const log = document.getElementById("log");
  const button = document.getElementById("follow");
  const edge = document.getElementById("edge");
  if (!log || !button || log.dataset.atEnd !== "1") return;
  const KEPT = 5000, SOON = 1000, LATE = 8000;
  let next = Number(log.dataset.next), timer = 0, pause = SOON, on = false;

  const atBottom = () => window.innerHeight + window.scrollY >= document.body.scrollHeight - 80;
  const say = (text) => { if (edge.textContent !== text) edge.textContent = text; };

  function take(answer) {
    if (answer.html) {
      const stay = atBottom();
      // A line that had no newline yet comes again, longer.
      for (const row of [...log.children].reverse()) {
        if (Number(row.dataset.at) < next) break;
        row.remove();
      }
      // The server's own markup: the same template as the page's, escaped there.
      const made = document.createElement("template");
      made.innerHTML = answer.html;
      log.append(made.content);
      while (log.children.length > KEPT) log.firstElementChild.remove();
      if (stay) edge.scrollIntoView({ block: "end" });
    }
    pause = answer.next > next || answer.behind ? SOON : Math.min(LATE, pause * 1.5);
    next = answer.next;
    if (!answer.grows && !answer.behind) { say(log.dataset.ended); set(false); button.hidden = true; }
    else say(log.dataset.waiting);
  }

  async function ask() {
    try {
      const answer = await fetch(log.dataset.more + "byte=" + next, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      take(await answer.json());
    } catch {
      pause = LATE;
      say(log.dataset.lost);
    }
    if (on) timer = setTimeout(ask, document.hidden ? LATE : pause);
  }

  function set(value) {
    on = value;
    button.setAttribute("aria-pressed", String(on));
    clearTimeout(timer);
    if (on) { pause = SOON; ask(); }
  }

  button.hidden = false;
  button.addEventListener("click", () => set(!on));
  set(true);
})();

// Following a running log: asks for what came after the last byte shown. Without this script the
// page's own "Refresh" does the same by hand.
"use strict";
(() => {
  const log = document.getElementById("log");
  const button = document.getElementById("follow");
  const edge = document.getElementById("edge");
  const head = document.getElementById("log-head");
  const notice = document.getElementById("notice");
  if (!log || !button || !log.dataset.more || log.dataset.atEnd !== "1") return;
  const KEPT = 5000, SOON = 1000, LATE = 8000, RARELY = 30000, RETRIES_ASKED = 60;
  let next = Number(log.dataset.next), size = 0, pause = SOON, on = false, rarely = 0;
  let masked = log.dataset.masked || 0, timer = 0, asking = null, notBefore = 0;
  const written = new Map();

  const atBottom = () => window.innerHeight + window.scrollY >= document.body.scrollHeight - 80;
  const say = (text) => { if (edge.textContent !== text) edge.textContent = text; };

  // The server's own markup: the same templates as the page's, escaped there.
  function write(element, html) {
    if (written.get(element) !== html) element.innerHTML = html;
    written.set(element, html);
  }

  function append(html, start) {
    const stay = atBottom();
    // A line that had no newline yet comes again, longer; so do those that were redrawn.
    for (const row of [...log.children]) {
      if (Number(row.dataset.at) >= start) row.remove();
    }
    const made = document.createElement("template");
    made.innerHTML = html;
    log.append(made.content);
    while (log.children.length > KEPT) log.firstElementChild.remove();
    if (stay) edge.scrollIntoView({ block: "end" });
  }

  function take(answer) {
    // What is shown here was masked meanwhile.
    if (answer.stale) return location.reload();
    masked = answer.masked;
    write(head, answer.head);
    write(notice, answer.notice);
    if (answer.over) return end("");
    if (answer.html) append(answer.html, answer.start);
    pause = answer.size > size || answer.behind ? SOON : Math.min(LATE, pause * 1.5);
    next = answer.next;
    size = answer.size;
    if (answer.grows || answer.behind) say(log.dataset.waiting);
    else expectRetry(answer.notice !== "");
  }

  // The text is whole, but a retry may begin: checked rarely, for half an hour, until one has.
  function expectRetry(hasBegun) {
    button.hidden = true;
    pause = RARELY;
    say(log.dataset.ended);
    if (hasBegun || ++rarely > RETRIES_ASKED) end(log.dataset.ended);
  }

  async function ask() {
    const mine = asking = new AbortController();
    let after = 0, problem = log.dataset.lost;
    try {
      const answer = await fetch(log.dataset.more + "masked=" + masked + "&byte=" + next, { credentials: "same-origin", signal: mine.signal });
      after = Number(answer.headers.get("Retry-After")) * 1000;
      if (after > 0) notBefore = Date.now() + after;
      // Sent on to the login page, or to nothing: asking again would not help.
      if (answer.status === 404 || answer.redirected) return end(log.dataset.gone);
      if (!answer.ok) {
        if ((await answer.json()).unreachable) problem = log.dataset.unreachable;
        throw new Error(String(answer.status));
      }
      const found = await answer.json();
      if (mine === asking) take(found);
    } catch {
      if (mine !== asking) return;
      pause = after > 0 ? Math.max(SOON, after) : LATE;
      say(problem);
    }
    if (on && mine === asking) later(document.hidden ? Math.max(LATE, pause) : pause);
  }

  function later(wait) {
    timer = setTimeout(ask, Math.max(wait, notBefore - Date.now()));
  }

  function stop() {
    on = false;
    clearTimeout(timer);
    if (asking) asking.abort();
    asking = null;
    button.setAttribute("aria-pressed", "false");
  }

  function end(text) {
    stop();
    say(text);
    button.hidden = true;
  }

  function start() {
    on = true;
    pause = SOON;
    button.setAttribute("aria-pressed", "true");
    say(log.dataset.waiting);
    later(0);
  }

  button.hidden = false;
  button.addEventListener("click", () => {
    if (!on) return start();
    stop();
    say(log.dataset.off);
  });
  start();
})();

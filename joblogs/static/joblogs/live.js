// Updates what a page shows while something runs: asks for that part again, more seldom when nothing
// changes or nobody looks. Without this script the page's own "Refresh" does the same by hand.
"use strict";
(() => {
  const SOON = 3000, LATE = 30000, HIDDEN = 60000, SHARE = 10;
  const live = document.getElementById("live");
  if (!live) return;
  let pause = SOON, timer = 0, offset = Date.now() - Number(live.dataset.now);

  const runs = () => live.dataset.runs === "1";

  function say(name) {
    const state = document.getElementById("live-state");
    const text = state && (state.dataset[name] || "");
    if (state && state.firstElementChild.textContent !== text) state.firstElementChild.textContent = text;
  }

  const isLike = (one, other) => one.nodeName === other.nodeName && !one.id === !other.id
    && (one.classList ? one.classList[0] === other.classList[0] : true);

  function without(node) {
    const next = node.nextSibling;
    node.remove();
    return next;
  }

  // The node that may become this one: the next, or of elements the first of its kind behind it.
  function following(next, node) {
    if (node.nodeType !== Node.ELEMENT_NODE) return next && isLike(next, node) ? next : null;
    while (next && !isLike(next, node)) next = next.nextSibling;
    return next;
  }

  // Makes one element like another and keeps what the reader did to it: focus, text that is being
  // written, what is folded open. Both are the server's own markup.
  function become(from, to) {
    if (from.isEqualNode(to)) return;
    if (from.nodeType !== Node.ELEMENT_NODE) {
      from.nodeValue = to.nodeValue;
      return;
    }
    for (const { name } of [...from.attributes]) {
      if (!to.hasAttribute(name) && name !== "open") from.removeAttribute(name);
    }
    for (const { name, value } of to.attributes) {
      if (name !== "open" && from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
    const wanted = new Set([...to.children].map((child) => child.id));
    for (const child of [...from.children]) if (child.id && !wanted.has(child.id)) child.remove();
    let next = from.firstChild;
    for (const node of [...to.childNodes]) {
      const match = node.id ? [...from.children].find((child) => child.id === node.id) : following(next, node);
      if (!match) {
        from.insertBefore(node, next);
        continue;
      }
      // What stands between has gone, but for what has a name: that is wanted further down.
      while (next !== match && next && !next.id) next = without(next);
      if (match === next) next = next.nextSibling;
      else from.insertBefore(match, next);
      become(match, node);
    }
    while (next) next = without(next);
  }

  function take(html) {
    const made = document.createElement("template");
    made.innerHTML = html;
    const fresh = made.content.getElementById("live");
    const focused = document.activeElement;
    become(live, fresh);
    if (focused.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
    offset = Date.now() - Number(live.dataset.now);
    pause = SOON;
    document.dispatchEvent(new Event("live"));
  }

  async function ask() {
    const began = Date.now();
    let after = 0;
    try {
      const answer = await fetch(location.href, {
        credentials: "same-origin",
        headers: { "X-Part": "live", "If-None-Match": `"${live.dataset.version}"` },
      });
      after = Number(answer.headers.get("Retry-After")) * 1000;
      // Sent on to the login page, or to nothing: asking again would not help.
      if (answer.status === 404 || answer.redirected) return say("gone");
      if (answer.status === 304) pause = Math.min(LATE, pause * 1.3);
      else if (answer.ok) take(await answer.text());
      else throw new Error(String(answer.status));
      say("on");
    } catch {
      pause = LATE;
      say("lost");
    }
    // A page that takes long to make is requested less often.
    const share = Math.min(LATE, (Date.now() - began) * SHARE);
    if (runs()) later(Math.max(pause, after, share));
  }

  function later(wait) {
    clearTimeout(timer);
    timer = setTimeout(ask, document.hidden ? Math.max(wait, HIDDEN) : wait);
  }

  function tick() {
    for (const clock of document.querySelectorAll("[data-since]")) {
      const seconds = Math.max(0, Math.floor((Date.now() - offset - Number(clock.dataset.since)) / 1000));
      const two = (n) => String(n).padStart(2, "0");
      clock.textContent = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    }
  }

  if (!runs()) return;
  say("on");
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden && runs()) later(0); });
  later(pause);
})();

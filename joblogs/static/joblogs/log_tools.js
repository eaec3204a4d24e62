// Tools of a log page: the encoding that is remembered in this browser, ranges of lines in the
// address, their text to be copied. Without this script an encoding is chosen by the button, for
// one log, and a line by its number.
"use strict";
(() => {
  const form = document.getElementById("encoding-form");
  if (form) {
    const select = form.querySelector("select");
    form.querySelector("button").hidden = true;
    select.addEventListener("change", () => {
      const age = select.value ? 31536000 : 0;
      document.cookie = "encoding=" + encodeURIComponent(select.value) + ";path=/;max-age=" + age + ";samesite=lax";
      form.requestSubmit();
    });
  }

  // The hosts beside this one are fetched when they are to be seen, and stay so from log to log.
  const beside = document.getElementById("beside");
  if (beside) {
    const list = beside.lastElementChild, store = sessionStorage;
    const load = async () => {
      const among = store.getItem("among") || "";
      try {
        const answer = await fetch(beside.dataset.list + "&among=" + among, { credentials: "same-origin" });
        if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
        list.innerHTML = await answer.text(); // the server's own markup
        const now = list.querySelector("[aria-current]"), rows = list.querySelector("ul");
        if (now) rows.scrollTop = now.offsetTop - rows.offsetTop - rows.clientHeight / 2;
      } catch {
        location.href = document.querySelector(".crumbs li:nth-last-child(2) a").href + "#hosts";
      }
    };
    beside.hidden = false;
    beside.addEventListener("toggle", () => {
      if (beside.open) {
        store.setItem("beside", "1");
        load();
      } else {
        store.removeItem("beside");
      }
    });
    list.addEventListener("click", (event) => {
      const choice = event.target.closest("[data-among]");
      if (!choice) return;
      store.setItem("among", choice.dataset.among);
      load();
    });
    beside.open = store.getItem("beside") === "1";
  }

  const log = document.getElementById("log");
  if (!log) return;
  const lines = () => [...log.children].filter((row) => row.classList.contains("ln"));
  const numberOf = (row) => parseInt(row.querySelector(".no").textContent.replace("…", ""), 10);
  let button = null;

  function picked() {
    const range = /^#L(\d+)(?:-L?(\d+))?$/.exec(location.hash);
    if (!range) return null;
    const one = Number(range[1]), other = Number(range[2] || range[1]);
    return { first: Math.min(one, other), last: Math.max(one, other), many: Boolean(range[2]) };
  }

  // A line that was redrawn by later ones stands for all of them up to the next.
  function within(range) {
    const all = lines();
    return all.filter((row, index) => {
      const first = numberOf(row), next = index + 1 < all.length ? numberOf(all[index + 1]) : first + 1;
      return first <= range.last && Math.max(first, next - 1) >= range.first;
    });
  }

  function show() {
    const range = picked();
    for (const row of log.querySelectorAll(".picked")) row.classList.remove("picked");
    if (button) button.remove();
    button = null;
    if (!range) return;
    const rows = within(range);
    if (!rows.length) {
      // The address names nothing but the range: what it names else is shown, whatever is behind #.
      const query = new URLSearchParams(location.search);
      if (["line", "byte", "before", "error", "at", "find"].some((name) => query.has(name))) return;
      query.set("line", range.first);
      location.replace("?" + query + location.hash);
      return;
    }
    if (!range.many) return;
    for (const row of rows) row.classList.add("picked");
    rows[0].scrollIntoView({ block: "nearest" });
    button = document.createElement("button");
    button.type = "button";
    button.className = "copy-lines";
    button.textContent = log.dataset.copy.replace("{lines}", range.first + "–" + range.last);
    button.addEventListener("click", () => copy(rows));
    document.body.append(button);
  }

  function textOf(row) {
    const code = row.querySelector("code").cloneNode(true);
    for (const cut of code.querySelectorAll(".cut")) cut.remove();
    return code.textContent;
  }

  async function copy(rows) {
    try {
      await navigator.clipboard.writeText(rows.map(textOf).join("\n") + "\n");
      button.textContent = log.dataset.copied;
    } catch {
      getSelection().setBaseAndExtent(rows[0].querySelector("code"), 0, rows[rows.length - 1].querySelector("code"), 1);
    }
  }

  // With the shift key a second number ends the range that the first began.
  log.addEventListener("click", (event) => {
    const link = event.target.closest("a.no");
    const range = picked();
    if (!link || !event.shiftKey || !range) return;
    event.preventDefault();
    const number = numberOf(link.parentElement);
    history.replaceState(null, "", "#L" + Math.min(range.first, number) + "-L" + Math.max(range.first, number));
    show();
  });
  window.addEventListener("hashchange", show);
  show();
})();

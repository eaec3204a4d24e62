// Keys of a page. An element with data-key is clicked, or focused, by that key; j and k go through
// groups, hits and rows, n and N through failing groups; ? shows which keys there are. Without this script all of it is links.
"use strict";
(() => {
  const ITEMS = ".group, .hits, .list tbody tr, .steps > li";
  const dialog = document.getElementById("keys");
  const hint = document.getElementById("keys-hint");
  if (!dialog || !hint) return;

  const isShown = (element) => element.getClientRects().length > 0;
  const keyed = () => [...document.querySelectorAll("[data-key]")].filter(isShown);
  const items = () => [...document.querySelectorAll(ITEMS)].filter((item) => isShown(item) && item.querySelector("a[href]"));

  const failing = () => items().filter((item) => item.matches(".group[class*=c-bad]"));

  function move(by, all = items()) {
    const now = all.findIndex((item) => item.contains(document.activeElement));
    const item = all[now < 0 ? (by > 0 ? 0 : all.length - 1) : now + by];
    if (!item) return;
    item.querySelector("a[href]").focus({ preventScroll: true });
    item.scrollIntoView({ block: "nearest" });
  }

  function show() {
    const list = dialog.querySelector("dl");
    const row = (key, label) => {
      const name = document.createElement("dt"), text = document.createElement("dd");
      name.append(...key.split(" ").flatMap((one) => {
        const shown = document.createElement("kbd");
        shown.textContent = one;
        return [shown, " "];
      }));
      text.textContent = label;
      list.append(name, text);
    };
    list.replaceChildren();
    if (items().length) row("j k", dialog.dataset.move);
    if (failing().length) row("n N", dialog.dataset.failing);
    for (const element of keyed()) row(element.dataset.key, element.dataset.keyLabel || element.textContent.trim());
    row("?", dialog.dataset.help);
    dialog.showModal();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (event.target.closest("input, select, textarea, [contenteditable]")) return;
    const { key } = event;
    if (dialog.open) {
      if (key === "?") dialog.close();
      return;
    }
    const element = keyed().find((one) => one.dataset.key.split(" ").includes(key));
    if (key === "?") show();
    else if (element && element.matches("input")) element.focus();
    else if (element) element.click();
    else if (key === "j" || key === "k") move(key === "j" ? 1 : -1);
    else if ((key === "n" || key === "N") && failing().length) move(key === "n" ? 1 : -1, failing());
    else return;
    event.preventDefault();
  });
  hint.hidden = false;
  hint.firstElementChild.addEventListener("click", show);
})();

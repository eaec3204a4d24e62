// Copies a list of hosts. Without this script the links open the lists.
"use strict";
(() => {
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-copy]");
    if (!link || !navigator.clipboard) return;
    event.preventDefault();
    try {
      const answer = await fetch(link.href, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      await navigator.clipboard.writeText(await answer.text());
      link.classList.add("copied");
      setTimeout(() => link.classList.remove("copied"), 2000);
    } catch {
      location.href = link.href;
    }
  });
})();

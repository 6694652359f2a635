// What is told to screen readers, put on the clipboard, saved as a file.
const say = (text) => (byId("status").textContent = text);

// The clipboard's own interface is not there in every page that comes from disk; a selected field always is.
async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.body.appendChild(element("textarea", { class: "unseen", "aria-hidden": "true" }));
    const before = document.activeElement;
    field.value = text;
    field.select();
    document.execCommand("copy");
    field.remove();
    before?.focus();
  }
  notice(`Copied ${what}`);
}

let noticed = null;
function notice(text) {
  say(text);
  clearTimeout(noticed);
  byId("notice").textContent = text;
  byId("notice").hidden = false;
  noticed = setTimeout(() => (byId("notice").hidden = true), 2500);
}

function save(blob, name) {
  const address = URL.createObjectURL(blob);
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

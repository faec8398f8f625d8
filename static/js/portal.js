// Small conveniences. Every page works without them.

const toasts = document.getElementById("toasts");

function dismissible(toast) {
  toast.querySelector("button")?.addEventListener("click", () => toast.remove());
  if (!toast.classList.contains("bad")) setTimeout(() => toast.remove(), 8000);
}

toasts?.querySelectorAll(".toast").forEach(dismissible);
document.addEventListener("htmx:after:swap", () => toasts?.querySelectorAll(".toast").forEach(dismissible));

// A dialog before what cannot be undone; without JavaScript the button simply works.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "dialog") return;
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (question && !form.dataset.confirmed) {
    event.preventDefault();
    ask(question, event.submitter?.textContent ?? "OK").then((yes) => {
      if (!yes) return;
      form.dataset.confirmed = "1";
      form.requestSubmit(event.submitter);
    });
    return;
  }
  // A double tap is one tap. (Disabled only after the browser has collected the form.)
  setTimeout(() => form.querySelectorAll("button").forEach((button) => { button.disabled = true; }), 0);
});

window.addEventListener("pageshow", () => {
  document.querySelectorAll("button[disabled]").forEach((button) => { button.disabled = false; });
  document.querySelectorAll("form[data-confirmed]").forEach((form) => { delete form.dataset.confirmed; });
});

function ask(question, verb) {
  const dialog = document.getElementById("ask");
  dialog.querySelector("p").textContent = question;
  dialog.querySelector("[value=yes]").textContent = verb.trim();
  dialog.showModal();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true });
  });
}

// "/" goes to the search field, unless somebody is typing.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.matches("input, textarea, select")) return;
  const field = document.querySelector("input[type=search]");
  if (field) { event.preventDefault(); field.focus(); }
});

document.querySelectorAll("[data-focus]").forEach((element) => element.focus());

// A page nobody looks at does not ask again and again.
document.addEventListener("htmx:before:request", (event) => {
  const asks = event.target?.closest?.("[hx-trigger^=every]");
  if (asks && asks === event.target && document.hidden) event.preventDefault();
});

// An open heading of the navigation closes when somebody goes on elsewhere.
const closeMenus = (except) => document.querySelectorAll(".nav details[open]").forEach((menu) => {
  if (menu !== except) menu.open = false;
});
document.addEventListener("click", (event) => closeMenus(event.target.closest?.(".nav details")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.querySelector(".nav details[open] > summary")?.focus();
  closeMenus(null);
});

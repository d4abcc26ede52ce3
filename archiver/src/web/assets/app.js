// Comfort for those who have it; every page works without.
"use strict";

// Files can be dropped onto the field.
for (const field of document.querySelectorAll("input[type=file]")) {
  for (const kind of ["dragover", "dragenter"]) field.addEventListener(kind, () => field.classList.add("over"));
  for (const kind of ["dragleave", "drop"]) field.addEventListener(kind, () => field.classList.remove("over"));
  const list = document.createElement("ul");
  list.className = "files";
  field.after(list);
  field.addEventListener("change", () => {
    list.replaceChildren();
    for (const file of field.files) {
      const line = document.createElement("li");
      const name = document.createElement("bdi");
      name.textContent = file.name;
      const size = document.createElement("span");
      size.textContent = new Intl.NumberFormat(document.documentElement.lang).format(file.size) + " B";
      line.append(name, size);
      list.append(line);
    }
  });
}

// What a class means is told as soon as it is chosen.
for (const choice of document.querySelectorAll("select[data-consequences]")) {
  const show = () => {
    for (const text of document.querySelectorAll("[data-class]")) text.hidden = text.dataset.class !== choice.value;
  };
  choice.addEventListener("change", show);
  show();
}

// A form is sent once.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button[type=submit]");
    if (!button || form.dataset.download !== undefined) return;
    setTimeout(() => { button.disabled = true; button.setAttribute("aria-busy", "true"); }, 0);
    if (form.enctype === "multipart/form-data") {
      const bar = document.createElement("progress");
      bar.setAttribute("aria-label", button.textContent);
      form.append(bar);
    }
  });
}

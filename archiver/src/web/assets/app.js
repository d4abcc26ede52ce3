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

// What a class means is told as soon as it is chosen, and what it asks for is marked.
for (const choice of document.querySelectorAll("select[data-consequences]")) {
  const show = () => {
    for (const text of document.querySelectorAll("[data-class]")) {
      text.hidden = text.dataset.class !== choice.value;
      if (text.hidden) continue;
      const wanted = text.dataset.keys.split(" ");
      for (const field of document.querySelectorAll("fieldset input")) {
        const label = document.querySelector(`label[for="${field.id}"]`);
        label?.classList.toggle("wanted", wanted.includes(field.name) && !field.value);
      }
    }
  };
  for (const field of document.querySelectorAll("fieldset input")) field.addEventListener("input", show);
  choice.addEventListener("change", show);
  show();
}

// What a document says of itself stands in the fields before it is sent: of one document, because several share the fields.
for (const form of document.querySelectorAll("form[data-read]")) {
  const field = form.querySelector("input[type=file]");
  field.addEventListener("change", async () => {
    for (const filled of form.querySelectorAll("input.read")) {
      filled.classList.remove("read");
      filled.value = filled.defaultValue;
    }
    const guess = form.querySelector("[data-guess]");
    if (guess) guess.hidden = true;
    const [file] = field.files;
    if (field.files.length !== 1 || file.size > 4194304 || !/\.(xml|pdf)$/i.test(file.name)) return;
    const data = new FormData();
    data.append("form_token", form.elements.form_token.value);
    data.append("class", form.elements.class.value);
    data.append("file", file);
    const answer = await fetch(form.dataset.read, { method: "POST", body: data }).catch(() => null);
    if (!answer?.ok) return;
    const read = await answer.json();
    if (guess) guess.hidden = !read.is_guess;
    for (const [name, value] of Object.entries(read)) {
      const place = form.elements[name];
      if (!place || !value || (place.value && place.value !== place.defaultValue)) continue;
      place.value = value;
      place.classList.add("read");
      place.dispatchEvent(new Event("input"));
    }
  });
}

// Files go one after the other, each with its own progress. Without scripts they go together.
const sent = (address, data, bar) => new Promise((done) => {
  const request = new XMLHttpRequest();
  request.responseType = "document";
  request.upload.addEventListener("progress", (event) => { bar.max = event.total; bar.value = event.loaded; });
  request.addEventListener("loadend", () => done(request.status === 200 ? request.response : request.response ?? null));
  request.open("POST", address);
  request.send(data);
});

for (const form of document.querySelectorAll("form[data-each]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = form.querySelector("input[type=file]");
    const button = form.querySelector("button[type=submit]");
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    const files = [...field.files];
    const lines = [...form.querySelectorAll("ul.files li")];
    const fields = new FormData(form);
    fields.delete("files");
    let page = null;
    const rows = [];
    for (const [place, file] of files.entries()) {
      const bar = document.createElement("progress");
      bar.setAttribute("aria-label", file.name);
      lines[place]?.append(bar);
      const data = new FormData();
      for (const [name, value] of fields) data.append(name, value);
      data.append("files", file);
      const answer = await sent(form.action, data, bar);
      const row = answer?.querySelector("main tbody tr");
      bar.value = bar.max;
      if (row) {
        page ??= answer;
        rows.push(document.importNode(row, true));
        continue;
      }
      // Not the table of a deposit: the page says why, where there is one. What was taken in before stays told.
      const lost = document.createElement("tr");
      const name = document.createElement("td");
      name.textContent = file.name;
      const why = document.createElement("td");
      why.colSpan = 4;
      why.textContent = answer?.querySelector("main [role=alert]")?.textContent ?? form.dataset.lost;
      lost.append(name, why);
      rows.push(lost);
      if (!page && answer) {
        page = answer;
        break;
      }
    }
    if (!page) {
      button.disabled = false;
      button.removeAttribute("aria-busy");
      alert(form.dataset.lost);
      return;
    }
    const main = document.querySelector("main");
    main.replaceChildren(...[...page.querySelector("main").childNodes].map((node) => document.importNode(node, true)));
    const table = main.querySelector("tbody");
    if (table && rows.length) {
      table.replaceChildren(...rows);
      const done = rows.filter((row) => row.querySelector(".tag:not(.bad)")).length;
      const notice = main.querySelector(".notice[role]:not([role=note])");
      const text = done === files.length ? form.dataset.all : form.dataset.some;
      notice.className = done === files.length ? "notice good" : "notice warn";
      notice.textContent = text.replace("{done}", done).replace("{all}", files.length);
    }
    main.focus();
    scrollTo(0, 0);
  });
}

// A form is sent once.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button[type=submit]");
    if (!button || form.dataset.download !== undefined || form.dataset.each !== undefined) return;
    setTimeout(() => { button.disabled = true; button.setAttribute("aria-busy", "true"); }, 0);
  });
}

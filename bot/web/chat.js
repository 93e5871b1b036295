// The web chat page: shows the talk, sends what the person says until it has arrived, and listens for answers.
// It keeps nothing on the device: all state is in this module's memory and ends with the page. The API: docs/chat-api.md.

/** Every word the page itself says. `{0}` is filled in. */
const WORDS = {
  vi: {
    nothing: "", language: "Ngôn ngữ", menu: "Mở trình đơn", talk: "Cuộc trò chuyện", me: "Tôi nói: ", bot: "Lắng Nghe nói: ",
    write: "Nội dung muốn nói", hint: "Viết vào đây…", keys: "Phím Enter để gửi, Shift và Enter để xuống dòng.",
    send: "Gửi", attach: "Đính kèm ảnh, tệp", place: "Gửi vị trí", choices: "Các câu trả lời để chọn",
    begin: "Bắt đầu", invited: "Mở lời mời", myPlace: "Vị trí của tôi: {0}, {1}", myFiles: "Ảnh, tệp đính kèm:",
    sending: "Đang gửi…", sent: "Đã gửi", offline: "Chưa gửi được, sẽ gửi lại khi có mạng",
    busy: "Máy chủ đang bận, sẽ tự gửi lại", fast: "Gửi hơi nhanh, sẽ tự gửi lại sau giây lát",
    refused: "Nội dung này chưa được tiếp nhận. Xin thử nói cách khác.",
    preparing: "Đang chuẩn bị tệp {0}/{1}…", uploading: "Đang tải lên tệp {0}/{1}: {2}%", uploaded: "Đã tải lên",
    fileLarge: "Tệp này quá 20 MB nên không gửi được. Xin gửi tệp nhỏ hơn.",
    fileGone: "Không còn đọc được tệp này. Xin chọn lại.", fileRefused: "Tệp này không được tiếp nhận. Xin chọn tệp khác.",
    noFiles: "Không có tệp nào gửi được.",
    tooLong: "Nội dung dài {0} ký tự, nhiều hơn mức 8.000 ký tự. Xin chia ra gửi làm nhiều lần.",
    connecting: "Đang kết nối…", lost: "Mất kết nối, đang thử nối lại. Xin đừng đóng trang này.",
    cookies: "Trình duyệt đang chặn cookie nên chưa trò chuyện được. Xin cho phép cookie đối với trang này.",
    expired: "Phiên trò chuyện trước đã hết hạn. Trang đã mở phiên mới; xin trả lời lại nếu cần.",
    locating: "Đang tìm vị trí…", placeRefused: "Trình duyệt chưa được phép xem vị trí. Xin cho phép trong phần cài đặt, hoặc viết tên đường, xã, phường.",
    placeUnknown: "Chưa tìm được vị trí. Xin thử lại ở nơi thoáng, hoặc viết tên đường, xã, phường.",
    placeMissing: "Trình duyệt này không gửi được vị trí. Xin viết tên đường, xã, phường.",
    copy: "Chép mã", copyCode: "Chép mã {0}", copied: "Đã chép mã", copyYourself: "Chưa chép được. Xin ghi mã ra giấy.",
    picture: "Hình ảnh", enlarge: "Mở hình lớn: {0}", large: "Hình lớn", close: "Đóng",
    pictureWaits: "Đang tải hình…", pictureGone: "Không tải được hình này.",
    forget: "Xóa khỏi máy này", again: "Bắt đầu cuộc trò chuyện mới",
    forgetSure: "Xóa cuộc trò chuyện khỏi máy này? Những gì chưa gửi và câu hỏi đang trả lời dở sẽ mất. Nội dung đã gửi xong vẫn được xử lý. Nếu có mã hồ sơ, xin ghi lại trước.",
    forgetting: "Đang xóa trên máy chủ, đang chờ mạng. Xin đừng đóng trang này.", forgotten: "Đã xóa cuộc trò chuyện khỏi máy này.",
  },
  en: {
    nothing: "", language: "Language", menu: "Open menu", talk: "Conversation", me: "I said: ", bot: "Lắng Nghe said: ",
    write: "What you want to say", hint: "Write here…", keys: "Enter sends, Shift and Enter starts a new line.",
    send: "Send", attach: "Add photos, files", place: "Send location", choices: "Answers to choose from",
    begin: "Start", invited: "Open the invitation", myPlace: "My location: {0}, {1}", myFiles: "Attached photos, files:",
    sending: "Sending…", sent: "Sent", offline: "Not sent yet; it will be sent when the network is back",
    busy: "The server is busy; it will be sent again by itself", fast: "A little too fast; it will be sent again in a moment",
    refused: "This could not be accepted. Please try to say it another way.",
    preparing: "Preparing file {0} of {1}…", uploading: "Uploading file {0} of {1}: {2}%", uploaded: "Uploaded",
    fileLarge: "This file is over 20 MB and cannot be sent. Please send a smaller one.",
    fileGone: "This file can no longer be read. Please choose it again.", fileRefused: "This file was not accepted. Please choose another one.",
    noFiles: "None of the files could be sent.",
    tooLong: "The text has {0} characters, more than 8,000. Please send it in several parts.",
    connecting: "Connecting…", lost: "Connection lost, trying again. Please keep this page open.",
    cookies: "The browser blocks cookies, so we cannot talk yet. Please allow cookies for this page.",
    expired: "The earlier session has expired. A new one is open; please answer again if needed.",
    locating: "Looking for your location…", placeRefused: "The browser may not see your location. Please allow it in the settings, or write the street, commune or ward.",
    placeUnknown: "The location was not found. Please try again in the open, or write the street, commune or ward.",
    placeMissing: "This browser cannot send a location. Please write the street, commune or ward.",
    copy: "Copy code", copyCode: "Copy code {0}", copied: "Code copied", copyYourself: "Could not copy. Please write the code down.",
    picture: "Picture", enlarge: "Open large picture: {0}", large: "Large picture", close: "Close",
    pictureWaits: "Loading picture…", pictureGone: "This picture could not be loaded.",
    forget: "Delete from this device", again: "Start a new conversation",
    forgetSure: "Delete the conversation from this device? What was not sent and the question you are answering will be lost. What was sent completely is still handled. If you have a receipt code, please write it down first.",
    forgetting: "Deleting at the server, waiting for the network. Please keep this page open.", forgotten: "The conversation was deleted from this device.",
  },
};

/**
 * @typedef {keyof typeof WORDS.vi} Word
 * @typedef {{id: string, text: string, question: string|null, choices: {id: string, label: string}[],
 *   asks: "text"|"place"|"files"|null, picture: string|null, about: string|null}} Message  as the API gives it
 * @typedef {{text?: string, choice?: {question: string, option: string}, place?: {lat: number, lon: number},
 *   files?: string[], start?: string}} Said  exactly one of them
 * @typedef {{file: File, ready: File|null, row: HTMLElement, bar: HTMLProgressElement}} Upload
 * @typedef {{said: Said & {id: string}, note: HTMLElement, uploads: Upload[], of: number, answered: HTMLFieldSetElement|null}} Item
 *   on its way: `uploads` are those still to do, out of `of`; the buttons it `answered` open again if it is refused
 */

const API = "/chat/api";
const LONGEST_TEXT = 8000;
const LONGEST_WAIT = 25; // seconds of one long poll
const LARGEST_FILE = 20 * 1024 * 1024;
const BIG_PHOTO = 1.5 * 1024 * 1024;
const LONGEST_SIDE = 2560; // pixels: a number plate or a page of paper stays readable
const STALLED = 60; // seconds without progress after which an upload is tried again
const BETWEEN = "\u001f"; // parts a word from its fillings in one attribute
const RECEIPT = /\b\d{4}(?:[ \u00a0-]\d{4}){3}\b/g;

/** @type {<T extends HTMLElement>(id: string) => T} */
const part = (id) => /** @type {any} */ (document.getElementById(id));
const talk = part("talk");
const box = /** @type {HTMLTextAreaElement} */ (part("box"));
const picker = /** @type {HTMLInputElement} */ (part("files"));
const menu = /** @type {HTMLDetailsElement} */ (part("menu"));

/** @type {"vi"|"en"} */ let language = "vi";
/** @type {Item[]} */ const waiting = []; // what is not yet at the server, in order
/** @type {Set<string>} */ const shown = new Set();
/** @type {Set<string>} */ const unreported = new Set(); // shown, but the server does not know yet
/** @type {Set<{abort(): void}>} */ const flying = new Set(); // requests under way
/** @type {HTMLFieldSetElement|null} */ let choices = null; // the buttons that can still be pressed
/** @type {AbortController|null} */ let hearing = null;
/** @type {Promise<void>|null} */ let opening = null;
let sessions = 0; // how many were opened here: tells a 401 of an old session from one of the present
let met = false; // the server has answered once; nothing is sent before
let sending = false;
let ended = false; // the person deleted the talk: nothing may move any more
let forgetting = false;

// ---------------------------------------------------------------- words

/** Writes a word so that it follows the language later. @param {Element} element @param {Word} key @param {(string|number)[]} fill */
function say(element, key, ...fill) {
  element.setAttribute("data-word", [key, ...fill].join(BETWEEN));
  element.textContent = word(key, ...fill);
}

/** The same for an element's spoken name. @param {Element} element @param {Word} key @param {(string|number)[]} fill */
function label(element, key, ...fill) {
  element.setAttribute("data-label", [key, ...fill].join(BETWEEN));
  element.setAttribute("aria-label", word(key, ...fill));
}

/** @param {Word} key @param {(string|number)[]} fill */
function word(key, ...fill) {
  return WORDS[language][key].replace(/\{(\d)\}/g, (_, place) => String(fill[place]));
}

function speakLanguage() {
  document.documentElement.lang = language;
  for (const code of ["vi", "en"]) part(code).setAttribute("aria-pressed", String(code === language));
  for (const [attribute, write] of /** @type {const} */ ([["data-word", say], ["data-label", label]])) {
    for (const element of document.querySelectorAll(`[${attribute}]`)) {
      const [key, ...fill] = (element.getAttribute(attribute) ?? "").split(BETWEEN);
      write(element, /** @type {Word} */ (key), ...fill);
    }
  }
  box.placeholder = word("hint");
}

/** The one line above the text box. @param {Word} key @param {(string|number)[]} fill */
function tell(key, ...fill) {
  if (told() !== key) say(part("status"), key, ...fill); // not read aloud again and again
}

/** Empties that line if it says one of these, and leaves any other. @param {Word[]} keys */
function untell(...keys) {
  if (keys.some((key) => key === told())) say(part("status"), "nothing");
}

function told() {
  return part("status").dataset.word?.split(BETWEEN)[0];
}

// ---------------------------------------------------------------- the wire

/** Will not succeed as it is: tell the person. The message, if any, is the server's, made for a person. */
class Refused extends Error {
  /** @param {Word} key @param {number} [code] @param {string} [message] */
  constructor(key, code = 0, message = "") {
    super(message);
    this.key = key;
    this.code = code;
  }
}

/** May succeed later: wait, then the same again. */
class Later extends Error {
  /** @param {Word} key @param {number} [seconds] as the server asked in Retry-After */
  constructor(key, seconds) {
    super(key);
    this.key = key;
    this.seconds = seconds;
  }
}

/** What an HTTP answer means. A 200 without JSON is a sign-in page of some free Wi-Fi. @param {number} code @param {string|null} after Retry-After @param {any} answer null when it was not JSON */
function judged(code, after, answer) {
  if (code < 300 && answer) return answer;
  const seconds = Number(after) > 0 ? Math.min(600, Number(after)) : undefined;
  if (code === 429) throw new Later("fast", seconds);
  if (code >= 500) throw new Later("busy", seconds);
  if (code < 400 || code === 408) throw new Later("offline");
  throw new Refused("refused", code, answer?.error?.message);
}

/** One request, lost after some seconds. @param {string} method @param {string} path @param {object} [body] @param {number} seconds @param {AbortController} stop */
async function call(method, path, body, seconds = 30, stop = new AbortController()) {
  const timer = setTimeout(() => stop.abort(), seconds * 1000);
  const headers = { "Content-Type": "application/json" };
  flying.add(stop);
  try {
    const sent = body ? { headers, body: JSON.stringify(body) } : {};
    const answer = await fetch(API + path, { method, ...sent, cache: "no-store", redirect: "error", signal: stop.signal });
    return judged(answer.status, answer.headers.get("Retry-After"), await answer.json().catch(() => null));
  } catch (error) {
    throw error instanceof Refused || error instanceof Later ? error : new Later("offline");
  } finally {
    clearTimeout(timer);
    flying.delete(stop);
  }
}

/** Tries with a session, and opens one where there is none. @template T @param {() => Promise<T>} attempt @returns {Promise<T>} */
async function inSession(attempt) {
  for (let tries = 0; tries < 2; tries += 1) {
    const known = sessions;
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Refused && error.code === 401) || ended) throw error;
      if (known === sessions) await (opening ??= openSession());
    }
  }
  throw new Later("cookies"); // just opened and still unknown: its cookie does not come back
}

async function openSession() {
  try {
    await call("POST", "/session", { cookie: true });
    sessions += 1;
    if (met) addNotice("expired");
  } finally {
    opening = null;
  }
}

/** Waits as long as the server asked; else longer each time, but only until the network or the person is back. @param {number} failures @param {unknown} [error] @returns {Promise<unknown>} */
function rest(failures, error) {
  const asked = error instanceof Later && error.seconds;
  const seconds = asked || Math.min(30, 2 ** failures) * (0.75 + Math.random() / 2);
  return new Promise((done) => {
    setTimeout(done, seconds * 1000);
    if (asked) return;
    addEventListener("online", done, { once: true });
    document.addEventListener("visibilitychange", done, { once: true });
  });
}

/** Tries until it succeeds or is refused, and tells each time that it must wait. @template T @param {() => Promise<T>} attempt @param {(key: Word) => void} troubled @returns {Promise<T>} */
async function insist(attempt, troubled) {
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof Refused) throw error;
      troubled(error instanceof Later ? error.key : "offline");
      await rest(failures, error);
    }
  }
}

// ---------------------------------------------------------------- the talk on the screen

/** @template {keyof HTMLElementTagNameMap} K @param {K} tag @param {string} look @param {string} [text] @returns {HTMLElementTagNameMap[K]} */
function make(tag, look, text) {
  const element = document.createElement(tag);
  element.className = look;
  if (text !== undefined) element.textContent = text;
  return element;
}

/** @param {string} look @param {(button: HTMLButtonElement) => void} press */
function makeButton(look, press) {
  const button = make("button", look);
  button.type = "button";
  button.addEventListener("click", () => press(button));
  return button;
}

/** @param {"mine"|"theirs"} whose @param {string} text */
function makeBubble(whose, text) {
  const bubble = make("div", `bubble ${whose}`);
  const speaker = make("span", "unseen");
  const words = make("div", "words", text);
  say(speaker, whose === "mine" ? "me" : "bot");
  bubble.append(speaker, words);
  return { bubble, words };
}

/** @param {Word} key */
function addNotice(key) {
  const notice = make("p", "notice");
  say(notice, key);
  talk.append(notice);
}

/** To the end of the talk, but never past the beginning of what is new. @param {HTMLElement} first */
function scrollToNew(first) {
  talk.scrollTop = Math.min(talk.scrollHeight, first.offsetTop - 12);
}

/** The on-screen keyboard and a word above the box take room from the talk: its end stays in sight, not its beginning. */
function keepEndInSight() {
  let height = talk.clientHeight;
  new ResizeObserver(() => {
    talk.scrollTop += height - talk.clientHeight;
    height = talk.clientHeight;
  }).observe(talk);
}

/** Shows what was not shown before; answers how many that were. @param {{messages: Message[]}} answer @param {string[]} told ids the server now knows as seen */
function receive(answer, told) {
  for (const id of told) unreported.delete(id);
  const fresh = ended ? [] : answer.messages.filter((message) => !shown.has(message.id));
  const bubbles = fresh.map(showMessage);
  if (bubbles.length) scrollToNew(bubbles[0]);
  return bubbles.length;
}

/** @param {Message} message */
function showMessage(message) {
  const { bubble, words } = makeBubble("theirs", message.text);
  shown.add(message.id);
  words.lang = language;
  bubble.append(...[...message.text.matchAll(RECEIPT)].map((found) => copyButton(words, found.index, found[0])));
  if (message.picture) showPicture(bubble, message, message.picture);
  else unreported.add(message.id);
  talk.append(bubble);
  if (message.question !== null || message.choices.length || message.asks) ask(message);
  return bubble;
}

/** Puts the answers of the newest question under it; those of an older one are of no use any more. @param {Message} message */
function ask(message) {
  closeChoices();
  part("attach").classList.toggle("wanted", message.asks === "files");
  if (!message.choices.length && message.asks !== "place") return;
  const group = make("fieldset", "choices");
  label(group, "choices");
  group.append(...message.choices.map((choice) => choiceButton(message.question, choice)));
  if (message.asks === "place") {
    const button = makeButton("place", () => locate(group));
    say(button, "place");
    group.append(button);
  }
  talk.append(group);
  choices = group;
}

/** @param {string|null} question @param {{id: string, label: string}} choice */
function choiceButton(question, choice) {
  const button = makeButton("choice", () => {
    button.classList.add("chosen");
    speak(question === null ? { text: choice.label } : { choice: { question, option: choice.id } }, { text: choice.label });
  });
  button.textContent = choice.label;
  button.lang = language;
  return button;
}

/** Disables the open buttons and hands them out, so that a refused answer can open them again. */
function closeChoices() {
  const closed = choices;
  if (closed) closed.disabled = true;
  choices = null;
  part("attach").classList.remove("wanted");
  return closed;
}

/** @param {HTMLElement} words @param {number} start @param {string} code */
function copyButton(words, start, code) {
  const button = makeButton("copy", async () => {
    const done = await copy(words, start, code);
    if (done) say(button, "copied");
    tell(done ? "copied" : "copyYourself");
  });
  say(button, "copy");
  label(button, "copyCode", code);
  return button;
}

/** Old browsers, and pages without https, have no clipboard: there the code is selected and copied the old way. @param {HTMLElement} words @param {number} start @param {string} code */
async function copy(words, start, code) {
  try {
    await navigator.clipboard.writeText(code);
    return true;
  } catch {
    const text = /** @type {Text} */ (words.firstChild);
    getSelection()?.setBaseAndExtent(text, start, text, start + code.length);
    return document.execCommand("copy");
  }
}

/** Loads a picture, however long the network takes. Only then is its message seen: the server may delete both. @param {HTMLElement} bubble @param {Message} message @param {string} file */
async function showPicture(bubble, message, file) {
  const note = make("p", "note");
  say(note, "pictureWaits");
  bubble.append(note);
  const picture = await insist(() => pictureOf(file), () => undefined).catch(() => null);
  unreported.add(message.id);
  if (!picture || ended) return say(note, "pictureGone");
  const image = make("img", "");
  image.src = URL.createObjectURL(picture);
  image.alt = message.about || word("picture");
  const button = makeButton("picture", () => enlarge(image));
  label(button, "enlarge", image.alt);
  button.append(image);
  note.replaceWith(button);
  await image.decode().catch(() => undefined);
  if (talk.querySelector(":scope > div:last-of-type") === bubble) scrollToNew(bubble);
}

/** @param {string} file @returns {Promise<Blob>} */
async function pictureOf(file) {
  const answer = await fetch(`${API}/pictures/${encodeURIComponent(file)}`);
  return answer.ok ? answer.blob() : judged(answer.status, answer.headers.get("Retry-After"), null);
}

/** @param {HTMLImageElement} image */
function enlarge(image) {
  const large = /** @type {HTMLImageElement} */ (part("largePicture"));
  large.src = image.src;
  large.alt = image.alt;
  /** @type {HTMLDialogElement} */ (part("large")).showModal();
}

// ---------------------------------------------------------------- what the person says

/**
 * Shows what was said, in the person's words or the page's, and queues it. All but the page's own commands answer the open question.
 * @param {Said} said @param {{text?: string, key?: Word, fill?: (string|number)[]}} as @param {File[]} files
 */
function speak(said, { text = "", key, fill = [] }, files = []) {
  untell("placeRefused", "placeUnknown", "placeMissing", "copied", "copyYourself");
  const { bubble, words } = makeBubble("mine", text);
  if (key) say(words, key, ...fill);
  const note = make("p", "note");
  say(note, "sending");
  const uploads = files.map(makeUpload);
  bubble.append(...uploads.map((upload) => upload.row), note);
  const focused = choices?.contains(document.activeElement);
  const answered = said.start || said.text?.startsWith("/") ? null : closeChoices();
  talk.append(bubble);
  if (focused && answered) keepPlace(bubble);
  scrollToNew(bubble);
  waiting.push({ said: { ...said, id: freshId() }, note, uploads, of: uploads.length, answered });
  deliver();
}

function freshId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A button that is disabled loses the focus: it goes to what was said, right before the answer to come. @param {HTMLElement} bubble */
function keepPlace(bubble) {
  bubble.tabIndex = -1;
  bubble.focus({ preventScroll: true });
}

/** Sends what waits, in order, one at a time. */
async function deliver() {
  if (sending || !met) return;
  sending = true;
  while (waiting.length && !ended) {
    await settle(waiting[0]);
    waiting.shift();
  }
  sending = false;
}

/** Does not return before the server has taken or refused it. @param {Item} item */
async function settle(item) {
  say(item.note, "sending");
  try {
    await insist(() => send(item), (key) => waiting.forEach((late) => say(late.note, key)));
    untell("connecting", "lost", "cookies");
    say(item.note, "sent");
  } catch (error) {
    refuse(item, /** @type {Refused} */ (error));
  }
}

/** @param {Item} item */
async function send(item) {
  if (ended) throw new Refused("refused"); // deleted while it waited: nobody is to see or send it any more
  for (; item.uploads.length; item.uploads.shift()) await uploadOne(item, item.uploads[0]);
  if (item.of && !item.said.files) throw new Refused("noFiles");
  const seen = [...unreported].slice(0, 100);
  receive(await inSession(() => call("POST", "/events", { ...item.said, seen })), seen);
}

/** @param {Item} item @param {Refused} error */
function refuse(item, error) {
  explain(item.note, error);
  if (!item.answered || choices) return;
  choices = item.answered;
  choices.disabled = false;
  for (const button of choices.querySelectorAll(".chosen")) button.classList.remove("chosen");
}

/** @param {HTMLElement} note @param {Refused} error */
function explain(note, error) {
  note.classList.add("wrong");
  note.setAttribute("role", "alert"); // read aloud, as the other states of a bubble are not
  say(note, error.key);
  if (!error.message) return;
  note.removeAttribute("data-word");
  note.textContent = error.message;
}

// ---------------------------------------------------------------- files

/** @param {File} file @returns {Upload} */
function makeUpload(file) {
  const row = make("div", "file");
  const bar = make("progress", "bar");
  bar.max = 100;
  bar.value = 0;
  bar.setAttribute("aria-label", file.name);
  row.append(make("span", "fileName", file.name), bar);
  return { file, ready: null, row, bar };
}

/** Uploads one file and names it in the event; one that is refused says so in its row and holds up no other. @param {Item} item @param {Upload} upload */
async function uploadOne(item, upload) {
  const place = item.of - item.uploads.length + 1;
  const note = make("span", "note");
  try {
    say(item.note, "preparing", place, item.of);
    const file = (upload.ready ??= await shrunk(upload.file));
    if (file.size > LARGEST_FILE) throw new Refused("fileLarge");
    const answer = await inSession(() => transfer(file, (percent) => {
      upload.bar.value = percent;
      say(item.note, "uploading", place, item.of, percent);
    }));
    item.said.files = [...(item.said.files ?? []), answer.file];
    say(note, "uploaded");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.code) error.key = error.code === 413 ? "fileLarge" : "fileRefused";
    explain(note, error);
  }
  upload.bar.replaceWith(note);
}

/** By XMLHttpRequest, because fetch does not tell how much was sent. @param {File} file @param {(percent: number) => void} progress @returns {Promise<{file: string}>} */
async function transfer(file, progress) {
  const wire = new XMLHttpRequest();
  let timer = 0;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => wire.abort(), STALLED * 1000);
  };
  flying.add(wire);
  await new Promise((done) => {
    wire.upload.onprogress = (event) => {
      alive();
      progress(Math.round((100 * event.loaded) / event.total));
    };
    wire.onloadend = done;
    wire.open("POST", API + "/files");
    wire.responseType = "json";
    wire.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
    alive();
    wire.send(file);
  });
  clearTimeout(timer);
  flying.delete(wire);
  // A file deleted since it was chosen fails like a lost network, but for ever.
  if (!wire.status) await file.slice(0, 1).arrayBuffer().catch(() => { throw new Refused("fileGone"); });
  return judged(wire.status, wire.getResponseHeader("Retry-After"), wire.response);
}

/** Makes a big photo small enough for a bad network; its place and device data are gone with that. @param {File} file @returns {Promise<File>} */
async function shrunk(file) {
  if (file.size <= BIG_PHOTO || !/^image\/(jpeg|png)$/.test(file.type)) return file;
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await new Promise((done, fail) => Object.assign(image, { onload: done, onerror: fail }));
    const canvas = drawn(image, Math.min(1, LONGEST_SIDE / Math.max(image.naturalWidth, image.naturalHeight)));
    const blob = await new Promise((/** @type {BlobCallback} */ done) => canvas.toBlob(done, "image/jpeg", 0.85));
    return blob ? new File([blob], file.name.replace(/\.[^.]*$/, "") + ".jpg", { type: blob.type }) : file;
  } catch {
    return file; // the browser cannot read or reduce it: the server judges
  } finally {
    URL.revokeObjectURL(image.src);
  }
}

/** @param {HTMLImageElement} image @param {number} scale */
function drawn(image, scale) {
  const canvas = make("canvas", "");
  canvas.width = Math.round(image.naturalWidth * scale);
  canvas.height = Math.round(image.naturalHeight * scale);
  const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  brush.fillStyle = "#123456";
  brush.fillRect(0, 0, 8, 8);
  // Tor Browser and others hand out noise for a canvas, against fingerprinting: evidence must not become noise.
  const read = brush.getImageData(0, 0, 8, 8).data;
  if (!read.every((value, at) => value === [0x12, 0x34, 0x56, 0xff][at % 4])) throw new Error("this canvas is not true");
  brush.fillStyle = "#fff"; // JPEG knows no transparency
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}

// ---------------------------------------------------------------- the place

/** @param {HTMLFieldSetElement} group */
function locate(group) {
  if (!navigator.geolocation || !isSecureContext) return tell("placeMissing");
  tell("locating");
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      untell("locating");
      if (choices !== group) return; // answered in another way meanwhile
      const [lat, lon] = [coords.latitude, coords.longitude].map((degrees) => Number(degrees.toFixed(5))); // a metre, no finer
      speak({ place: { lat, lon } }, { key: "myPlace", fill: [lat, lon] });
    },
    (error) => tell(error.code === error.PERMISSION_DENIED ? "placeRefused" : "placeUnknown"),
    { enableHighAccuracy: true, timeout: 20000, maximumAge: 60000 },
  );
}

// ---------------------------------------------------------------- hearing

/** The long poll, while the page is in sight. */
async function listen() {
  for (let failures = 0; !ended; ) {
    await inSight();
    const began = Date.now();
    try {
      const fresh = await hear(met ? LONGEST_WAIT : 0);
      failures = 0;
      if (!met) meet();
      // Quick, nothing new, nothing to report: what waits is a message whose picture still loads. Do not run in circles.
      else if (!fresh && !unreported.size && Date.now() - began < 3000) await rest(1);
    } catch (error) {
      if (ended || document.hidden) continue;
      tell(error instanceof Later && error.key === "cookies" ? "cookies" : "lost");
      await rest(failures++, error);
    }
  }
}

/** @param {number} wait seconds */
async function hear(wait) {
  const seen = [...unreported].slice(0, 40); // an address must not grow too long
  const query = `?wait=${wait}` + (seen.length ? `&seen=${seen.map(encodeURIComponent).join(",")}` : "");
  const answer = await inSession(() => call("GET", "/messages" + query, undefined, wait + 20, (hearing = new AbortController())));
  untell("connecting", "lost", "cookies");
  return receive(answer, seen);
}

/** @returns {Promise<void>} */
async function inSight() {
  while (document.hidden) await new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
}

/** The server is there: what was said meanwhile goes out, and a talk that has nothing begins. */
function meet() {
  met = true;
  if (!talk.childElementCount) speak({ start: "" }, { key: "begin" });
  deliver();
}

// ---------------------------------------------------------------- the page

function sendBox() {
  const text = box.value.trim();
  const length = [...text].length; // as the server counts: a letter is one, however many bytes it has
  if (length > LONGEST_TEXT) return tell("tooLong", length.toLocaleString(language));
  if (!text) return box.focus();
  speak({ text }, { text });
  box.value = "";
  fit();
}

/** As many lines as are written, up to six. */
function fit() {
  untell("tooLong");
  box.rows = 1;
  while (box.rows < 6 && box.scrollHeight > box.clientHeight + 2) box.rows += 1;
}

/** Always tells the bot, even if the page has that language already: after a reload the bot may be in the other. @param {"vi"|"en"} chosen */
function choose(chosen) {
  language = chosen;
  speakLanguage();
  speak({ text: `/ngonngu ${chosen}` }, { text: chosen === "vi" ? "Tiếng Việt" : "English" });
}

/** Empties the page at once, and the server as soon as the network lets it. */
async function forget() {
  menu.open = false;
  if (!confirm(word("forgetSure"))) return;
  ended = forgetting = true;
  for (const flight of [...flying]) flight.abort();
  for (const image of document.images) URL.revokeObjectURL(image.src);
  talk.replaceChildren();
  part("composer").hidden = true;
  box.value = "";
  await insist(forgetAtServer, () => tell("forgetting"));
  forgetting = false;
  tell("forgotten");
  part("again").hidden = false;
  part("again").focus();
}

/** Only a 401 means that nothing is left there; any other failure is tried again, so that "deleted" is never said too early. */
async function forgetAtServer() {
  await call("DELETE", "/session").catch((error) => {
    if (error.code !== 401) throw new Later("busy", error.seconds);
  });
}

/** An invitation link's code, which then leaves the address bar and the history. */
function takeInvitation() {
  const address = new URL(location.href);
  const code = address.searchParams.get("moi");
  address.searchParams.delete("moi");
  if (code !== null) history.replaceState(null, "", address);
  if (code) speak({ start: code }, { key: "invited" });
}

/** @type {(target: EventTarget, kind: string, act: (event: any) => void) => void} */
const on = (target, kind, act) => target.addEventListener(kind, act);

function wirePage() {
  on(part("composer"), "submit", (event) => (event.preventDefault(), sendBox()));
  on(box, "keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) event.preventDefault(), sendBox();
  });
  on(box, "input", fit);
  on(part("attach"), "click", () => picker.click());
  on(picker, "change", () => {
    if (picker.files?.length) speak({}, { key: "myFiles" }, [...picker.files]);
    picker.value = ""; // so that the same file can be chosen again
  });
  on(part("vi"), "click", () => choose("vi"));
  on(part("en"), "click", () => choose("en"));
  on(part("forget"), "click", forget);
  on(part("again"), "click", () => location.reload());
  on(document, "click", (event) => (menu.open &&= menu.contains(event.target)));
  on(menu, "keydown", (event) => {
    if (event.key === "Escape") menu.open = false;
  });
  on(document, "visibilitychange", () => document.hidden && hearing?.abort());
  on(window, "beforeunload", (event) => {
    if ((waiting.length && !ended) || forgetting) event.preventDefault(); // what was not sent is nowhere but here
  });
}

part("app").hidden = false;
speakLanguage();
tell("connecting");
wirePage();
keepEndInSight();
takeInvitation();
listen();

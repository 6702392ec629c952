// A log: follows it, goes back through rotated files, searches, and draws its colours.

import { ask, element, fill, follow, say, timeOfDay, words } from './console.js';

const LINES_MAX = 20000;
const box = document.getElementById('log');
if (box) start();

function start() {
  const target = `name=${encodeURIComponent(box.dataset.name)}&channel=${box.dataset.channel}`;
  const followButton = document.getElementById('follow');
  // Where the text begins and ends: file and offset.
  let first = { file: box.dataset.file, offset: Number(box.dataset.start), older: null };
  let last = { file: box.dataset.file, offset: Number(box.dataset.end) };
  let isFollowing = Number(box.dataset.age) === 0 && Number(box.dataset.end) >= Number(box.dataset.size);
  let waiting = [], stream = null, openLine = null, isLoading = false, needle = '';

  // --- drawing ---

  function classesOf(codes, now) {
    for (const code of codes) {
      if (code === 0) now.clear();
      else if (code === 39) drop(now, 'a3', 3);
      else if (code === 49) drop(now, 'b4', 3);
      else if (code === 22) { now.delete('a1'); now.delete('a2'); }
      else if ([1, 2, 3, 4, 7].includes(code)) now.add(`a${code}`);
      else if ([23, 24, 27].includes(code)) now.delete(`a${code - 20}`);
      else if (code >= 30 && code <= 37 || code >= 90 && code <= 97) { drop(now, 'a3', 3); now.add(`a3${code % 10}`); }
      else if (code >= 40 && code <= 47 || code >= 100 && code <= 107) { drop(now, 'b4', 3); now.add(`b4${code % 10}`); }
      else if (code === 38 || code === 48) break;
    }
  }

  function drop(set, prefix, length) {
    for (const name of set) if (name.startsWith(prefix) && name.length === length) set.delete(name);
  }

  /** A line as elements; terminal escapes that are not colours are left out. */
  function draw(text, at) {
    const line = element('span', at ? { 'data-at': at } : {});
    const now = new Set();
    const parts = text.split(/\x1b\[([0-9;?]*)([@-~])/);
    for (let index = 0; index < parts.length; index += 3) {
      const plain = parts[index].replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '\ufffd');
      if (plain) line.append(now.size ? element('span', { class: [...now].join(' ') }, ...marked(plain)) : marked(plain)[0] ?? '', ...now.size ? [] : marked(plain).slice(1));
      if (parts[index + 2] === 'm') classesOf(parts[index + 1].split(';').map(Number), now);
    }
    line.append('\n');
    return line;
  }

  function marked(text) {
    if (!needle) return [text];
    const parts = [], small = text.toLowerCase();
    let from = 0;
    for (let at = small.indexOf(needle); at >= 0; at = small.indexOf(needle, from)) {
      parts.push(text.slice(from, at), element('mark', {}, text.slice(at, at + needle.length)));
      from = at + needle.length;
    }
    parts.push(text.slice(from));
    return parts;
  }

  function isAtEnd() {
    return box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  }

  function append(lines, at) {
    const stays = isAtEnd();
    openLine?.remove();
    openLine = null;
    const fragment = document.createDocumentFragment();
    for (const line of lines) fragment.append(draw(line, at));
    box.append(fragment);
    document.getElementById('nothing')?.remove();
    let surplus = box.childElementCount - LINES_MAX;
    if (surplus > 0 && stays) {
      while (surplus-- > 0) box.firstElementChild.remove();
      first = { file: '', offset: 0, older: null };
    }
    if (stays) box.scrollTop = box.scrollHeight;
  }

  function showOpen(text) {
    openLine?.remove();
    openLine = null;
    if (!text) return;
    const stays = isAtEnd();
    openLine = draw(text);
    openLine.classList.add('open');
    box.append(openLine);
    if (stays) box.scrollTop = box.scrollHeight;
  }

  function where(piece) {
    document.getElementById('where').textContent = fill(words.log_file, piece.path, piece.start, piece.end, piece.size);
  }

  // --- following ---

  function begin() {
    stream = follow(() => `/api/v1/log/follow?${target}&file=${encodeURIComponent(last.file)}&from=${last.offset}`, {
      begin: (news) => { last = { file: news.file, offset: news.start }; },
      lines: ({ lines, open }) => {
        if (isFollowing) {
          append(lines, timeOfDay());
          showOpen(open);
        } else {
          waiting.push(...lines);
          if (waiting.length > LINES_MAX) waiting.splice(0, waiting.length - LINES_MAX);
          showPressed();
        }
      },
    });
  }

  function showPressed() {
    followButton.setAttribute('aria-pressed', String(isFollowing));
    followButton.textContent = isFollowing ? words.pause : waiting.length ? `${words.follow} (${fill(words.lines_waiting, waiting.length)})` : words.follow;
  }

  function pause() {
    isFollowing = false;
    showPressed();
  }

  followButton.addEventListener('click', () => {
    if (isFollowing) return pause();
    if (!stream) return location.assign(`/log?${target}`);
    isFollowing = true;
    append(waiting, timeOfDay());
    waiting = [];
    showPressed();
    box.scrollTop = box.scrollHeight;
  });

  // --- going back and forth ---

  async function older() {
    if (isLoading || !first.file) return;
    let file = first.file, before = first.offset;
    if (before === 0) {
      if (first.older === null) first.older = (await ask(`/api/v1/log?${target}&file=${encodeURIComponent(file)}&before=0&bytes=1`)).older ?? '';
      if (!first.older) return;
      file = first.older;
      before = Number.MAX_SAFE_INTEGER;
    }
    isLoading = true;
    try {
      const piece = await ask(`/api/v1/log?${target}&file=${encodeURIComponent(file)}&before=${before}`);
      const height = box.scrollHeight;
      const fragment = document.createDocumentFragment();
      for (const line of piece.lines) fragment.append(draw(line));
      box.prepend(fragment);
      box.scrollTop += box.scrollHeight - height;
      first = { file: piece.file, offset: piece.start, older: piece.older ?? '' };
      where(piece);
    } catch { /* gone with a rotation */ }
    isLoading = false;
  }

  async function jump(hit) {
    pause();
    stream?.close();
    stream = null;
    const piece = await ask(`/api/v1/log?${target}&file=${encodeURIComponent(hit.file)}&after=${Math.max(0, hit.start - 4096)}&bytes=131072`);
    const from = hit.start > 4096 ? 1 : 0;
    box.replaceChildren(...piece.lines.slice(from).map((line) => draw(line)));
    first = { file: piece.file, offset: piece.start, older: piece.older ?? '' };
    where(piece);
    box.querySelector('mark')?.scrollIntoView({ block: 'center' });
    box.focus();
  }

  box.addEventListener('scroll', () => {
    if (box.scrollTop < 80) older();
    if (isFollowing && !isAtEnd()) pause();
  });

  // --- searching ---

  const hits = document.getElementById('hits');
  async function search(from) {
    const more = from ? `&file=${encodeURIComponent(from.file)}&before=${from.before}` : '';
    hits.hidden = false;
    if (!from) hits.replaceChildren(element('p', { class: 'hint' }, words.searching));
    const found = await ask(`/api/v1/log/search?${target}&q=${encodeURIComponent(needle)}${more}`);
    if (!from) hits.replaceChildren();
    hits.querySelector('.more')?.remove();
    for (const hit of found.hits) {
      const button = element('button', { class: 'hit code', type: 'button' }, ...marked(hit.line.replace(/\x1b\[[0-9;?]*[@-~]/g, '')));
      button.onclick = () => jump(hit);
      hits.append(button);
    }
    const count = hits.querySelectorAll('.hit').length;
    const text = count ? fill(words.found_some, count) : words.found_none;
    const end = element('p', { class: 'hint more' }, text, ' ');
    if (found.rest) {
      const on = element('button', { class: 'plain', type: 'button' }, words.search_on);
      on.onclick = () => search(found.rest);
      end.append(on);
    }
    hits.append(end);
    say(text);
  }

  document.getElementById('search').addEventListener('submit', (event) => {
    event.preventDefault();
    needle = event.target.elements.q.value.toLowerCase();
    if (!needle) { hits.hidden = true; return; }
    search(null);
  });
  document.getElementById('wrap').addEventListener('change', (event) => box.classList.toggle('wrap', event.target.checked));
  document.getElementById('times').addEventListener('change', (event) => box.classList.toggle('times', event.target.checked));

  (async () => {
    // Drawn once more, in colour.
    const piece = await ask(`/api/v1/log?${target}&file=${encodeURIComponent(first.file)}&after=${first.offset}&bytes=${Math.max(1, last.offset - first.offset)}`).catch(() => null);
    if (piece && piece.start === first.offset) {
      box.replaceChildren(...piece.lines.map((line) => draw(line)));
      last.offset = piece.end;
      first.older = piece.older ?? '';
    }
    box.scrollTop = box.scrollHeight;
    showPressed();
    if (isFollowing) begin();
  })();
}

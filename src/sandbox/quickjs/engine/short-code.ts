// For private use: no program needs it.
const mark = "\uE000";
const marked = /\uE000(\d+)\uE000/g;
const longText = 64;

/** A program without its long texts. */
export interface ShortCode {
  readonly code: string;
  /** Puts the texts back in where their marks are. */
  readonly restore: (code: string) => string;
}

/**
 * Puts marks in place of long texts in quotes on one line, so that a line of data is a short one. What
 * is in quotes is guessed: where the guess is wrong, what was in between comes back as it was.
 */
export function shortCode(code: string): ShortCode {
  // Whoever writes marks himself would have texts put in for them.
  if (code.includes(mark)) return { code, restore: (text) => text };
  const texts: string[] = [];
  const pieces: string[] = [];
  let kept = 0;
  let quote = "";
  let start = 0;
  for (let at = 0; at < code.length; at += 1) {
    const character = code[at] ?? "";
    if (quote === "") {
      if (!"\"'`".includes(character)) continue;
      quote = character;
      start = at + 1;
    } else if (character === "\n" || (quote === "`" && code.startsWith("${", at))) {
      quote = "";
    } else if (character === "\\" && code[at + 1] !== "\n") {
      at += 1;
    } else if (character === quote) {
      quote = "";
      if (at - start <= longText) continue;
      pieces.push(code.slice(kept, start), `${mark}${texts.length}${mark}`);
      texts.push(code.slice(start, at));
      kept = at;
    }
  }
  pieces.push(code.slice(kept));
  const restore = (text: string) => text.replace(marked, (_, index) => texts[Number(index)] ?? "");
  return { code: pieces.join(""), restore };
}

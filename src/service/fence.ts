/** The inside of a fenced code block when the whole text is one; otherwise the text itself. */
export function unwrapFence(text: string): string {
  const lines = text.trim().split("\n");
  const [fence, mark] = /^(`|~)\1{2,}/.exec(lines[0] ?? "") ?? [];
  if (fence === undefined || mark === undefined || lines.length < 2) return text;
  // CommonMark: the info string after backticks holds none, which keeps inline code out.
  if (mark === "`" && lines[0]?.slice(fence.length).includes("`")) return text;
  const isClosing = (line: string) => {
    const trimmed = line.trim();
    return trimmed.length >= fence.length && trimmed === mark.repeat(trimmed.length);
  };
  // An earlier closing line means text between two blocks: that is not one block.
  if (lines.findIndex((line, index) => index > 0 && isClosing(line)) !== lines.length - 1) {
    return text;
  }
  return lines.slice(1, -1).join("\n");
}

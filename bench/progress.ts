/** Says on stderr what is being measured: one changing line in a terminal, a line each elsewhere. */

export interface ProgressLine {
  show(text: string): void;
  /** Clears what stands there. */
  clear(): void;
}

export function progressLine(stream: NodeJS.WriteStream = process.stderr): ProgressLine {
  if (!stream.isTTY) return { show: (text) => void stream.write(`... ${text}\n`), clear() {} };
  const clear = () => void stream.write('\r\x1b[2K');
  return {
    show(text) {
      clear();
      stream.write(`... ${text}`.slice(0, stream.columns - 1));
    },
    clear,
  };
}

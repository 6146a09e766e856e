/** A word of a shell without its quotes; the last of them may be missing. Nothing in it is expanded. */
export function unquote(word: string): string {
  return word.replace(/\\(.)|'([^']*)'?|"((?:\\.|[^"\\])*)"?/g, (_, escaped, single, double) =>
    String(escaped ?? single ?? String(double ?? '').replace(/\\(["\\$`])/g, '$1')),
  );
}

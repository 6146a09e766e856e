/** The words of a Dockerfile's exec form (`["a", "b"]`); undefined for everything else, which is then shell form. */
export function jsonWords(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const isWords = Array.isArray(value) && value.every(word => typeof word === 'string');
    return isWords ? (value as string[]) : undefined;
  } catch {
    return undefined;
  }
}

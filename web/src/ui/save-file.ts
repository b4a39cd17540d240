/** Hands a file that was made here to the browser's downloads. */

export function saveFile(parts: readonly string[], type: string, name: string): void {
  const address = URL.createObjectURL(new Blob([...parts], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The download holds the file by then.
  setTimeout(() => URL.revokeObjectURL(address));
}

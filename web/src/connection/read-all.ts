/** Lists that are small by nature are read to their end; the bound guards against a token that never ends. */

export async function readAll<T>(
  page: (pageToken: string) => Promise<{ items: readonly T[]; nextPageToken: string }>,
): Promise<T[]> {
  const all: T[] = [];
  let pageToken = "";
  for (let pages = 0; pages < 20; pages += 1) {
    const { items, nextPageToken } = await page(pageToken);
    all.push(...items);
    if (nextPageToken === "") break;
    pageToken = nextPageToken;
  }
  return all;
}

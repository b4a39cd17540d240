/** The law of live updates for articles: old pages and their frames are the same as fresh pages. */

import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SendRefused } from "../../../src/connection/live";
import { type ArticlePage, Articles } from "../../../src/features/knowledge/articles";
import { type Article, ArticleSchema } from "../../../src/gen/inbox/assistant/v1/article_pb";
import { ErrorSchema, Reason } from "../../../src/gen/inbox/error/v1/reason_pb";
import { ServerFrameSchema } from "../../../src/gen/inbox/realtime/v1/frame_pb";

const PAGE_SIZE = 2;

/** The service, as small as it can be. */
class Shelf {
  readonly kept: Article[] = [];
  onChange: (article: Article) => void = () => {};
  isAway = false;

  write(): void {
    const number = this.kept.length + 1;
    this.#put(number, { title: `article ${number}`, version: 1n });
  }

  change(number: number): void {
    const before = this.kept[number - 1];
    if (before === undefined || before.isDeleted) return;
    this.#put(number, { title: `${before.title}!`, version: before.version + 1n });
  }

  remove(number: number): void {
    const before = this.kept[number - 1];
    if (before === undefined || before.isDeleted) return;
    this.#put(number, { isDeleted: true, version: before.version + 1n });
  }

  async list(pageToken: string): Promise<ArticlePage> {
    if (this.isAway) throw new ConnectError("away", Code.Unavailable);
    const before = pageToken === "" ? Number.POSITIVE_INFINITY : Number(pageToken);
    const living = this.kept.filter((article) => !article.isDeleted).reverse();
    const rest = living.filter((article) => Number(article.id) < before);
    const articles = rest.slice(0, PAGE_SIZE);
    const last = articles.at(-1);
    const nextPageToken = rest.length > PAGE_SIZE && last ? last.id : "";
    return { articles, nextPageToken };
  }

  async get(articleId: string): Promise<Article> {
    const article = this.kept.find(({ id }) => id === articleId);
    if (article !== undefined && !article.isDeleted) return article;
    throw new SendRefused(create(ErrorSchema, { code: 5, reason: Reason.ARTICLE_NOT_FOUND }));
  }

  #put(number: number, news: { title?: string; isDeleted?: boolean; version: bigint }): void {
    const article = create(ArticleSchema, {
      id: String(number).padStart(4, "0"),
      createTime: { seconds: BigInt(number) },
      ...news,
    });
    this.kept[number - 1] = article;
    this.onChange(article);
  }
}

function frameOf(article: Article) {
  return create(ServerFrameSchema, { body: { case: "articleChanged", value: { article } } });
}

function aShelf(count: number) {
  const shelf = new Shelf();
  for (let n = 0; n < count; n += 1) shelf.write();
  const articles = new Articles(shelf);
  shelf.onChange = (article) => articles.receive(frameOf(article));
  const titles = () => articles.snapshot.articles.map(({ title }) => title);
  return { shelf, articles, titles };
}

test("pages come newest first, and one more each time", async () => {
  const { articles, titles } = aShelf(3);
  await articles.load();
  expect(titles()).toEqual(["article 3", "article 2"]);
  expect(articles.snapshot.hasMore).toBe(true);

  await articles.loadMore();

  expect(titles()).toEqual(["article 3", "article 2", "article 1"]);
  expect(articles.snapshot.hasMore).toBe(false);
});

test("old pages and their frames are the same as fresh pages", async () => {
  const deed = fc.oneof(
    fc.constant({ kind: "write" as const }),
    fc.constant({ kind: "more" as const }),
    fc.constant({ kind: "reload" as const }),
    fc.record({ kind: fc.constantFrom("change" as const, "remove" as const), at: fc.nat(12) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.nat(8), fc.array(deed, { maxLength: 30 }), async (count, deeds) => {
      const { shelf, articles } = aShelf(count);
      await articles.load();
      for (const one of deeds) {
        if (one.kind === "write") shelf.write();
        else if (one.kind === "change") shelf.change(one.at + 1);
        else if (one.kind === "remove") shelf.remove(one.at + 1);
        else if (one.kind === "more") await articles.loadMore();
        else await articles.load();
      }

      const { articles: shown, hasMore } = articles.snapshot;
      const living = shelf.kept.filter((article) => !article.isDeleted).reverse();
      expect(shown).toEqual(living.slice(0, shown.length));
      if (!hasMore) expect(shown).toHaveLength(living.length);
    }),
  );
});

test("what happens while pages are loaded is not lost", async () => {
  const { shelf, articles, titles } = aShelf(2);
  const loading = articles.load();
  shelf.write();
  shelf.remove(1);
  await loading;

  expect(titles()).toEqual(["article 3", "article 2"]);
});

test("what was deleted while nobody listened is gone after a reload", async () => {
  const { shelf, articles, titles } = aShelf(2);
  await articles.load();
  shelf.onChange = () => {};
  shelf.remove(2);
  expect(titles()).toEqual(["article 2", "article 1"]);

  await articles.load();

  expect(titles()).toEqual(["article 1"]);
});

test("a reload that fails leaves what is on screen", async () => {
  const { shelf, articles, titles } = aShelf(1);
  await articles.load();
  shelf.isAway = true;

  await expect(articles.load()).rejects.toThrow("away");

  expect(titles()).toEqual(["article 1"]);
});

test("an article on screen by itself follows what becomes of it", async () => {
  const { shelf, articles } = aShelf(5);
  await articles.load();
  await articles.open("0001");
  expect(articles.snapshot.open?.article?.title).toBe("article 1");

  shelf.change(1);
  expect(articles.snapshot.open?.article?.title).toBe("article 1!");
  await articles.load();
  expect(articles.snapshot.open?.article?.title).toBe("article 1!");

  shelf.remove(1);
  expect(articles.snapshot.open).toEqual({ id: "0001", article: null, isGone: true });
});

test("an article that was never there is gone, not an error", async () => {
  const { articles } = aShelf(0);
  await articles.open("0007");
  expect(articles.snapshot.open?.isGone).toBe(true);
});

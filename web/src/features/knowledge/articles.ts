/**
 * The workspace's articles as far as they are loaded, newest first, kept current by the live line. Old pages and their
 * frames give the same as fresh pages. Knows no React.
 */

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { refusalOf } from "../../connection/refusal";
import type { Article } from "../../gen/inbox/assistant/v1/article_pb";
import { Reason } from "../../gen/inbox/error/v1/reason_pb";
import type { ServerFrame } from "../../gen/inbox/realtime/v1/frame_pb";

export interface ArticlePage {
  readonly articles: readonly Article[];
  readonly nextPageToken: string;
}

export interface ArticlesApi {
  list(pageToken: string): Promise<ArticlePage>;
  /** Refused with ARTICLE_NOT_FOUND for one that is not there, or not there any more. */
  get(articleId: string): Promise<Article>;
}

/** The article on screen by itself. */
export interface OpenArticle {
  readonly id: string;
  /** Null while it is loaded, and for one that is gone. */
  readonly article: Article | null;
  readonly isGone: boolean;
}

export interface ArticlesSnapshot {
  readonly articles: readonly Article[];
  readonly isLoaded: boolean;
  readonly hasMore: boolean;
  readonly open: OpenArticle | null;
}

type Known = ReadonlyMap<string, Article>;

const NOTHING: ArticlesSnapshot = { articles: [], isLoaded: false, hasMore: false, open: null };

export class Articles {
  #snapshot = NOTHING;
  /** Deleted ones too, for a page may still bring what was there before. */
  #known: Known = new Map();
  /** What frames and answers bring while pages are loaded from the start. */
  #heard: Known = new Map();
  /** Null while nothing is loaded. */
  #nextPageToken: string | null = null;
  /** The last loaded row; what is older is for the next page. Null once everything is loaded. */
  #frontier: Article | null = null;
  #openId: string | null = null;
  #isOpenGone = false;
  #loads = 0;
  readonly #api: ArticlesApi;
  readonly #listeners = new Set<() => void>();

  constructor(api: ArticlesApi) {
    this.#api = api;
  }

  get snapshot(): ArticlesSnapshot {
    return this.#snapshot;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  receive(frame: ServerFrame): void {
    if (frame.body.case === "articleChanged" && frame.body.value.article !== undefined) {
      this.accept(frame.body.value.article);
    }
  }

  /** As an answer or a frame tells it. */
  accept(article: Article): void {
    this.#known = joined(this.#known, [article]);
    this.#heard = joined(this.#heard, [article]);
    this.#show();
  }

  /** From the start, as far as it was loaded; what is on screen stays until it is in. */
  async load(): Promise<void> {
    const load = ++this.#loads;
    this.#heard = new Map();
    const [alone, { page, loaded }] = await Promise.all([
      this.#openId === null ? null : this.#get(this.#openId),
      this.#firstPages(this.#snapshot.articles.length),
    ]);
    if (load !== this.#loads) return;
    this.#known = joined(joined(loaded, [...this.#heard.values()]), alone === null ? [] : [alone]);
    this.#turnTo(page);
  }

  async #firstPages(wanted: number): Promise<{ page: ArticlePage; loaded: Known }> {
    let page = await this.#api.list("");
    let loaded = joined(new Map(), page.articles);
    while (page.nextPageToken !== "" && loaded.size < wanted) {
      page = await this.#api.list(page.nextPageToken);
      loaded = joined(loaded, page.articles);
    }
    return { page, loaded };
  }

  /** The next page; rejects when it could not be loaded. */
  async loadMore(): Promise<void> {
    if (this.#nextPageToken === null || this.#nextPageToken === "") return;
    const load = this.#loads;
    const page = await this.#api.list(this.#nextPageToken);
    // Loaded from the start meanwhile: that one goes on.
    if (load !== this.#loads) return;
    this.#known = joined(this.#known, page.articles);
    this.#turnTo(page);
  }

  /** Show one by itself, or none. */
  async open(articleId: string | null): Promise<void> {
    this.#openId = articleId;
    this.#isOpenGone = false;
    this.#show();
    if (articleId !== null) await this.reopen();
  }

  /** Somebody changed it, as a refusal says: see how it is now. */
  async reopen(): Promise<void> {
    const id = this.#openId;
    const article = id === null ? null : await this.#get(id);
    if (article !== null) this.accept(article);
    else this.#show();
  }

  async #get(articleId: string): Promise<Article | null> {
    try {
      return await this.#api.get(articleId);
    } catch (error) {
      if (refusalOf(error).reason !== Reason.ARTICLE_NOT_FOUND) throw error;
      if (articleId === this.#openId) this.#isOpenGone = true;
      return null;
    }
  }

  #turnTo({ articles, nextPageToken }: ArticlePage): void {
    this.#nextPageToken = nextPageToken;
    this.#frontier = nextPageToken === "" ? null : (articles.at(-1) ?? this.#frontier);
    this.#show();
  }

  #show(): void {
    const frontier = this.#frontier;
    const isShown = (article: Article) =>
      !article.isDeleted && (frontier === null || byNewest(article, frontier) <= 0);
    const isLoaded = this.#nextPageToken !== null;
    this.#snapshot = {
      articles: isLoaded ? [...this.#known.values()].filter(isShown).sort(byNewest) : [],
      isLoaded,
      hasMore: isLoaded && this.#nextPageToken !== "",
      open: this.#openId === null ? null : this.#opened(this.#openId),
    };
    for (const listener of [...this.#listeners]) listener();
  }

  #opened(id: string): OpenArticle {
    const article = this.#known.get(id) ?? null;
    const isGone = this.#isOpenGone || article?.isDeleted === true;
    return { id, article: isGone ? null : article, isGone };
  }
}

function joined(known: Known, news: readonly Article[]): Known {
  const all = new Map(known);
  for (const article of news) {
    const before = all.get(article.id);
    if (before === undefined || article.version > before.version) all.set(article.id, article);
  }
  return all;
}

/** As the service lists them: the time they were written, then the id. */
function byNewest(a: Article, b: Article): number {
  return timeOrder(b.createTime, a.createTime) || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

function timeOrder(a: Timestamp | undefined, b: Timestamp | undefined): number {
  const seconds = (a?.seconds ?? 0n) - (b?.seconds ?? 0n);
  return seconds === 0n ? (a?.nanos ?? 0) - (b?.nanos ?? 0) : Number(seconds);
}

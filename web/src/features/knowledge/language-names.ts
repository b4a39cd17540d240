/** Languages of articles, by their own names. */

import { ArticleLanguage } from "../../gen/inbox/assistant/v1/article_pb";

export const LANGUAGE_NAMES: Record<ArticleLanguage, string> = {
  [ArticleLanguage.UNSPECIFIED]: "Found out from the text",
  [ArticleLanguage.ENGLISH]: "English",
  [ArticleLanguage.SPANISH]: "Español",
  [ArticleLanguage.PORTUGUESE]: "Português",
};

export const LANGUAGE_CHOICES = [
  ArticleLanguage.UNSPECIFIED,
  ArticleLanguage.ENGLISH,
  ArticleLanguage.SPANISH,
  ArticleLanguage.PORTUGUESE,
].map((language) => ({ value: String(language), text: LANGUAGE_NAMES[language] }));

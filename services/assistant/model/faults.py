"""What can be wrong with what is asked of the AI."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.errors import Conflict, InvalidArgument, NotFound, ResourceExhausted


@dataclass(eq=False)
class ArticleNotFound(NotFound):
    """No such article, or not for this caller."""

    article_id: str
    reason = "ARTICLE_NOT_FOUND"

    def __str__(self) -> str:
        return f"there is no article {self.article_id} for this credential"


@dataclass(eq=False)
class TooManyArticles(ResourceExhausted):
    """The workspace has as many articles as it may."""

    max_articles: int
    reason = "TOO_MANY_ARTICLES"

    def __str__(self) -> str:
        return f"a workspace has at most {self.max_articles} articles; delete or merge some first"


@dataclass(eq=False)
class ProviderHostNotAllowed(InvalidArgument):
    """A workspace may not make this service connect to wherever it likes."""

    field: str
    host: str
    reason = "PROVIDER_HOST_NOT_ALLOWED"

    def __str__(self) -> str:
        return (
            f"{self.field}: the operator does not allow providers at {self.host}; "
            "INBOX_PROVIDER_HOSTS lists those allowed"
        )


@dataclass(eq=False)
class ProviderIncomplete(Conflict):
    """A provider was chosen that cannot work yet."""

    provider: str
    field: str
    reason = "PROVIDER_INCOMPLETE"

    def __str__(self) -> str:
        return f"provider {self.provider} needs {self.field}; send it together with the choice"

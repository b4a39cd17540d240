"""Which provider answers in a workspace."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING

from services.assistant.model.faults import ProviderHostNotAllowed, ProviderIncomplete
from services.assistant.model.settings import (
    AssistantSettings,
    ProviderHosts,
    ProviderKind,
    check_provider,
)
from services.assistant.providers.agent import AgentProvider
from services.assistant.providers.offline import OfflineProvider
from services.assistant.providers.port import Provider, ProviderFailed

if TYPE_CHECKING:
    from services.assistant.providers.openai import OpenAiProvider

OPENAI = "services.assistant.providers.openai"
"""Loaded when the first workspace needs it: its SDK takes seconds, and most never do."""


class Providers:
    """One of each kind, for all workspaces."""

    def __init__(self, hosts: ProviderHosts) -> None:
        self._hosts = hosts
        self._ready: dict[ProviderKind, Provider] = {
            ProviderKind.OFFLINE: OfflineProvider(),
            ProviderKind.AGENT: AgentProvider(),
        }
        self._openai: OpenAiProvider | None = None

    async def of(self, settings: AssistantSettings) -> Provider:
        """The workspace's provider. Raises: ProviderFailed, where it may not be used any more."""
        try:
            check_provider(settings, self._hosts)
        except (ProviderHostNotAllowed, ProviderIncomplete) as fault:
            # The operator's list may have changed since the settings were made.
            raise ProviderFailed(fault.reason) from None
        if settings.provider is ProviderKind.OPENAI:
            return await self._load_openai()
        return self._ready[settings.provider]

    async def close(self) -> None:
        """End its connections."""
        if self._openai is not None:
            await self._openai.close()

    async def _load_openai(self) -> OpenAiProvider:
        if self._openai is None:
            module = await asyncio.to_thread(importlib.import_module, OPENAI)
            if self._openai is None:  # nobody else was faster meanwhile
                self._openai = module.OpenAiProvider()
        return self._openai

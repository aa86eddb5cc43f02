"""Values of configs and secrets: where they are kept, who may ask for them, how they reach running verbs."""

from ftl_nb.services.settings.chain import Chain, chain_of
from ftl_nb.services.settings.file import file_provider
from ftl_nb.services.settings.keyring import keyring_provider
from ftl_nb.services.settings.memory import memory_provider
from ftl_nb.services.settings.provider import Provider, Ref, Site, register
from ftl_nb.services.settings.server import SettingsServer

register("file", file_provider)
register("keyring", keyring_provider)
register("memory", memory_provider)

__all__ = ["Chain", "Provider", "Ref", "SettingsServer", "Site", "chain_of", "register"]

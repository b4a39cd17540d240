"""Who may call a method: read from the option on the method in the proto, never written twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from chassis.auth import Caller, Role, WorkspaceMissing
from chassis.errors import CannotStart, RoleNotAllowed
from inbox.policy import v1 as policy_v1
from inbox.policy.v1.policy_pb2 import method_policy

LONGEST_CALL = timedelta(seconds=60)
LONGEST_TRANSFER = timedelta(minutes=15)
"""For a file's bytes: one side streams, the other waits."""

ROLES = {
    policy_v1.ROLE_OWNER: Role.OWNER,
    policy_v1.ROLE_AGENT: Role.AGENT,
    policy_v1.ROLE_READ_ONLY: Role.READ_ONLY,
    policy_v1.ROLE_BOT: Role.BOT,
    policy_v1.ROLE_SERVICE: Role.SERVICE,
    policy_v1.ROLE_VISITOR: Role.VISITOR,
}
"""The contract's roles as the code knows them."""


class PolicyMissing(CannotStart):
    """A method has no usable policy option, so nobody can say who may call it."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What one method demands of its callers."""

    roles: frozenset[Role]
    anonymous: bool
    across_workspaces: bool
    read_only: bool
    longest: timedelta | None
    """The longest deadline allowed; None where a stream has no end of its own."""

    @property
    def within_suite_only(self) -> bool:
        """Whether it looks across workspaces, so that no customer's key may call it."""
        return self.across_workspaces and self.roles == {Role.SERVICE}

    def check(self, caller: Caller) -> None:
        """Raises: RoleNotAllowed, WorkspaceMissing."""
        refused = caller.role not in self.roles
        # A key of role service that a workspace owns must not see beyond that workspace.
        if refused or (self.within_suite_only and caller.workspace_id is not None):
            raise RoleNotAllowed(
                role=caller.role.value,
                allowed_roles="service of the suite itself"
                if self.within_suite_only
                else ", ".join(sorted(role.value for role in self.roles)),
            )
        if caller.workspace_id is None and not self.across_workspaces:
            raise WorkspaceMissing


def policy_of(method: MethodDescriptor) -> Policy:
    """The policy on a method. Raises: PolicyMissing."""
    options = method.GetOptions()
    if not options.HasExtension(method_policy):
        raise PolicyMissing(f"{method.full_name} has no inbox.policy.v1.method_policy option")
    option = options.Extensions[method_policy]
    if bool(option.roles) == option.anonymous:
        raise PolicyMissing(f"{method.full_name} needs either roles or anonymous in its policy")
    return Policy(
        roles=frozenset(ROLES[role] for role in option.roles),
        anonymous=option.anonymous,
        across_workspaces=option.across_workspaces,
        read_only=option.read_only,
        longest=_longest(method),
    )


def policies_of(service: ServiceDescriptor) -> dict[str, Policy]:
    """Every method of a service by name. Raises: PolicyMissing, naming all that lack one."""
    policies: dict[str, Policy] = {}
    missing: list[str] = []
    for method in service.methods:
        try:
            policies[method.name] = policy_of(method)
        except PolicyMissing as error:
            missing.append(str(error))
    if missing:
        raise PolicyMissing("; ".join(missing))
    return policies


def _longest(method: MethodDescriptor) -> timedelta | None:
    both = method.client_streaming and method.server_streaming
    if both or (method.server_streaming and method.name.startswith("Watch")):
        return None
    if method.client_streaming or method.server_streaming:
        return LONGEST_TRANSFER
    return LONGEST_CALL

"""The policy option on every method is read, demanded and kept."""

from __future__ import annotations

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor

from chassis.auth import Caller, Role, WorkspaceMissing
from chassis.errors import RoleNotAllowed
from chassis.ids import WorkspaceId, new_id
from chassis.policy import PolicyMissing, policies_of, policy_of
from inbox.event.v1 import event_log_service_pb2
from inbox.identity.v1 import identity_service_pb2
from inbox.messaging.v1 import messaging_service_pb2
from inbox.realtime.v1 import realtime_service_pb2

IDENTITY = identity_service_pb2.DESCRIPTOR.services_by_name["IdentityService"]
EVENT_LOG = event_log_service_pb2.DESCRIPTOR.services_by_name["EventLogService"]
REALTIME = realtime_service_pb2.DESCRIPTOR.services_by_name["RealtimeService"]
MESSAGING = messaging_service_pb2.DESCRIPTOR.services_by_name["MessagingService"]
WORKSPACE = WorkspaceId(new_id())


def caller(role: Role, workspace_id: WorkspaceId | None = WORKSPACE) -> Caller:
    return Caller(id=new_id(), role=role, workspace_id=workspace_id)


def a_service_without_policies() -> ServiceDescriptor:
    file = descriptor_pb2.FileDescriptorProto(name="test/bare.proto", package="test.bare")
    file.message_type.add(name="Empty")
    service = file.service.add(name="Bare")
    for name in ("First", "Second"):
        service.method.add(name=name, input_type=".test.bare.Empty", output_type=".test.bare.Empty")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool.FindServiceByName("test.bare.Bare")


def test_a_service_without_policies_is_refused_and_every_method_named() -> None:
    with pytest.raises(PolicyMissing) as refused:
        policies_of(a_service_without_policies())

    assert "test.bare.Bare.First" in str(refused.value)
    assert "test.bare.Bare.Second" in str(refused.value)


def test_a_role_that_is_not_listed_is_refused_with_those_that_are() -> None:
    policy = policy_of(IDENTITY.methods_by_name["InviteMember"])

    policy.check(caller(Role.OWNER))
    with pytest.raises(RoleNotAllowed) as refused:
        policy.check(caller(Role.AGENT))

    assert refused.value.metadata() == {"role": "agent", "allowed_roles": "owner"}


def test_a_workspaces_own_service_key_never_sees_across_workspaces() -> None:
    policy = policy_of(EVENT_LOG.methods_by_name["ReadEvents"])

    policy.check(caller(Role.SERVICE, None))
    with pytest.raises(RoleNotAllowed):
        policy.check(caller(Role.SERVICE))


def test_the_suites_key_needs_a_workspace_where_the_method_is_about_one() -> None:
    policy = policy_of(IDENTITY.methods_by_name["CreateSignInLink"])

    policy.check(caller(Role.SERVICE))
    with pytest.raises(WorkspaceMissing):
        policy.check(caller(Role.SERVICE, None))


def test_only_streams_without_an_end_may_come_without_a_deadline() -> None:
    assert policy_of(REALTIME.methods_by_name["Watch"]).longest is None
    assert policy_of(MESSAGING.methods_by_name["SendMessages"]).longest is None
    assert policy_of(MESSAGING.methods_by_name["SendMessage"]).longest is not None

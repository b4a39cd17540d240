/** The people of the workspace; owners invite, change roles and remove. */

import { type FormEvent, useMemo, useState } from "react";
import { type Member, MemberState } from "../../gen/inbox/identity/v1/identity_pb";
import { withNewer } from "../../inbox/merge";
import { Avatar } from "../../ui/avatar";
import { Button, IconButton } from "../../ui/button";
import { CopyField } from "../../ui/copy-field";
import { Dialog } from "../../ui/dialog";
import { Choice, Field } from "../../ui/field";
import { PlusIcon, TrashIcon } from "../../ui/icons";
import { ErrorText } from "../../ui/notice";
import { Rows, Section } from "../../ui/page";
import { useToast } from "../../ui/toast";
import { sayError } from "../say-error";
import { useInbox, useSession } from "../session";
import { useAction } from "../use-action";
import { choices, MEMBER_ROLES, ROLE_NAMES } from "./roles";

export default function Members() {
  const { isOwner } = useSession();
  const byId = useInbox((snapshot) => snapshot.state.members);
  const [isInviting, setIsInviting] = useState(false);
  const [removing, setRemoving] = useState<Member | null>(null);
  const members = useMemo(
    () => [...byId.values()].filter((member) => member.state !== MemberState.REMOVED),
    [byId],
  );
  return (
    <Section
      title="Members"
      hint="Everybody here sees the same inbox."
      action={
        isOwner && (
          <Button look="primary" onClick={() => setIsInviting(true)}>
            <PlusIcon className="size-4" /> Invite
          </Button>
        )
      }
    >
      <Rows>
        {members.map((member) => (
          <MemberRow key={member.id} member={member} onRemove={() => setRemoving(member)} />
        ))}
      </Rows>
      {isInviting && <InviteDialog onClose={() => setIsInviting(false)} />}
      {removing !== null && <RemoveDialog member={removing} onClose={() => setRemoving(null)} />}
    </Section>
  );
}

function MemberRow({ member, onRemove }: { member: Member; onRemove: () => void }) {
  const { services, inbox, isOwner, member: self } = useSession();
  const toast = useToast();
  const isSelf = member.id === self.id;

  async function changeRole(role: number) {
    try {
      const { member: changed } = await services.identity.updateMember({
        memberId: member.id,
        role,
        expectedVersion: member.version,
      });
      if (changed) {
        inbox.store.change((state) => ({
          ...state,
          members: withNewer(state.members, changed.id, changed),
        }));
      }
    } catch (error) {
      toast({ text: sayError(error), tone: "danger" });
    }
  }

  return (
    <li className="flex items-center gap-3 p-3 pl-4">
      <Avatar name={member.displayName} colorKey={member.id} />
      <div className="min-w-0 flex-1">
        <p className="truncate font-medium">
          {member.displayName}
          {isSelf && <span className="text-muted"> (you)</span>}
        </p>
        <p className="truncate text-sm text-muted">
          {member.email}
          {member.state === MemberState.INVITED && " · invited"}
        </p>
      </div>
      {isOwner && !isSelf ? (
        <select
          aria-label={`Role of ${member.displayName}`}
          value={String(member.role)}
          onChange={(event) => void changeRole(Number(event.target.value))}
          className="min-h-9 rounded-lg border border-line-strong bg-raised px-2 text-sm max-md:min-h-11"
        >
          {choices(MEMBER_ROLES).map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.text}
            </option>
          ))}
        </select>
      ) : (
        <span className="px-2 text-sm text-muted">{ROLE_NAMES[member.role]}</span>
      )}
      {isOwner && !isSelf && (
        <IconButton label={`Remove ${member.displayName}`} onClick={onRemove}>
          <TrashIcon className="size-4.5" />
        </IconButton>
      )}
    </li>
  );
}

function InviteDialog({ onClose }: { onClose: () => void }) {
  const { services } = useSession();
  const saving = useAction();
  const [requestId] = useState(() => crypto.randomUUID());
  const [link, setLink] = useState<string | null>(null);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    void saving.run(async () => {
      const { inviteUrl } = await services.identity.inviteMember({
        requestId,
        email: String(form.get("email")).trim(),
        displayName: String(form.get("name")).trim(),
        role: Number(form.get("role")),
      });
      setLink(inviteUrl);
    });
  }

  return (
    <Dialog title="Invite somebody" isOpen onClose={onClose}>
      {link === null ? (
        <form className="flex flex-col gap-4" onSubmit={submit}>
          <Field label="E-mail address" name="email" type="email" required />
          <Field
            label="Name"
            name="name"
            required
            maxLength={80}
            hint="What colleagues and customers see."
          />
          <Choice label="Role" name="role" options={choices(MEMBER_ROLES)} />
          {saving.error !== null && <ErrorText>{saving.error}</ErrorText>}
          <Button look="primary" type="submit" isBusy={saving.isBusy}>
            Make an invitation
          </Button>
        </form>
      ) : (
        <div className="flex flex-col gap-4">
          <p className="text-sm text-muted">
            Pass this link on to them. It works once, within 7 days.
          </p>
          <CopyField label="Invitation" text={link} />
          <Button onClick={onClose}>Done</Button>
        </div>
      )}
    </Dialog>
  );
}

function RemoveDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const { services, inbox } = useSession();
  const removing = useAction();
  async function remove() {
    const { member: removed } = await services.identity.removeMember({ memberId: member.id });
    if (removed) {
      inbox.store.change((state) => ({
        ...state,
        members: withNewer(state.members, removed.id, removed),
      }));
    }
    onClose();
  }
  return (
    <Dialog title={`Remove ${member.displayName}?`} isOpen onClose={onClose}>
      <div className="flex flex-col gap-4">
        <p className="text-sm text-muted">
          Their sessions end at once. What they wrote stays, with their name.
        </p>
        {removing.error !== null && <ErrorText>{removing.error}</ErrorText>}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="danger" isBusy={removing.isBusy} onClick={() => void removing.run(remove)}>
            Remove
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

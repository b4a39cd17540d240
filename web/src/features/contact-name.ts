/** What to call a customer who gave no name. */

export function nameOf(conversation: { contactName: string; id: string }): string {
  return conversation.contactName.trim() || `Visitor ${conversation.id.slice(-4).toUpperCase()}`;
}

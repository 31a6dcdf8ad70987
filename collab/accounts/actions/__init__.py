"""The verbs of this room, by subject: signing in, sessions, credentials, people, invitations."""

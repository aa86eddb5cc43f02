"""Every step of a changeset, and of a lease, becomes an event on the timeline."""

from __future__ import annotations

from ftl_nb.rpc import event_pb2, timeline_pb2
from ftl_nb.services.timeline import Timeline
from ftl_nb.services.truth import Changeset, ChangesetState, Truth


def record_steps(truth: Truth, timeline: Timeline) -> None:
    """Puts the steps of `truth` on `timeline`."""
    truth.on_step = lambda changeset: timeline.add([_entry(changeset)])


def record_lease(timeline: Timeline, event: event_pb2.LeaseEvent) -> None:
    """Puts a step of a lease on `timeline`."""
    timeline.add([timeline_pb2.CreateEventsRequest.EventEntry(timestamp=event.timestamp, lease=event)])


def _entry(changeset: Changeset) -> timeline_pb2.CreateEventsRequest.EventEntry:
    entry = timeline_pb2.CreateEventsRequest.EventEntry()
    entry.timestamp.GetCurrentTime()
    if changeset.state is ChangesetState.PREPARING:
        created = event_pb2.ChangesetCreatedEvent(key=changeset.key, modules=changeset.modules)
        created.created_at.FromNanoseconds(changeset.created)
        created.to_remove.extend(changeset.removed)
        entry.changeset_created.CopyFrom(created)
        return entry
    changed = event_pb2.ChangesetStateChangedEvent(key=changeset.key, state=changeset.state.value)  # type: ignore[arg-type]
    if changeset.error:
        changed.error = changeset.error
    entry.changeset_state_changed.CopyFrom(changed)
    return entry

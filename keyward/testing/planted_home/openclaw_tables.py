"""The tables of OpenClaw's two databases that hold text, as version 2026.9.6 makes them: state schema 18, agent schema 23.

Columns, types and keys only; its checks and foreign keys are left out, but for the one on how an event is stored. Source: the statements
in `dist/` of the npm package, and docs/reference/database-schemas.
"""

from __future__ import annotations

STATE_SCHEMA, AGENT_SCHEMA = 18, 23

EVENT_CHECK = (
    "CHECK ((event_json IS NOT NULL AND event_zstd IS NULL) OR (event_json IS NULL AND event_zstd IS NOT NULL"
    " AND event_utf8_bytes BETWEEN 1 AND 4194304 AND length(event_zstd) BETWEEN 1 AND 4194304 AND navigation_json IS NOT NULL))"
)

SESSION_FTS = (
    "CREATE VIRTUAL TABLE session_transcript_fts USING fts5(text, session_id UNINDEXED, message_id UNINDEXED, role UNINDEXED,"
    " timestamp UNINDEXED, tokenize = 'unicode61 remove_diacritics 2')"
)
MEMORY_FTS = (
    "CREATE VIRTUAL TABLE memory_index_chunks_fts USING fts5(text, id UNINDEXED, path UNINDEXED, source UNINDEXED, model UNINDEXED,"
    " start_line UNINDEXED, end_line UNINDEXED)"
)

STATE = {
    "secret_store_entries": (
        "scope_kind TEXT NOT NULL, scope_id TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, kind TEXT NOT NULL, "
        "created_at_ms INTEGER NOT NULL, updated_at_ms INTEGER NOT NULL, updated_by TEXT, deleted_at_ms INTEGER, "
        "allowed_hosts TEXT, PRIMARY KEY (scope_kind, scope_id, name)"
    ),
    "mcp_oauth_stores": (
        "store_key TEXT NOT NULL PRIMARY KEY, format_version INTEGER NOT NULL, store_json TEXT NOT NULL, updated_at "
        "INTEGER NOT NULL"
    ),
    "device_auth_tokens": (
        "device_id TEXT NOT NULL, role TEXT NOT NULL, token TEXT NOT NULL, scopes_json TEXT NOT NULL, updated_at_ms "
        "INTEGER NOT NULL, PRIMARY KEY (device_id, role)"
    ),
    "cron_jobs": (
        "store_key TEXT NOT NULL, job_id TEXT NOT NULL, declaration_key TEXT, owner_agent_id TEXT, name TEXT NOT NULL, "
        "description TEXT, enabled INTEGER NOT NULL, agent_id TEXT, payload_kind TEXT NOT NULL, job_json TEXT NOT NULL, "
        "grant_definition_revision TEXT, grant_definition_generation INTEGER, grant_definition_updated_at INTEGER, "
        "state_json TEXT NOT NULL DEFAULT '{}', runtime_updated_at_ms INTEGER, schedule_identity TEXT, sort_order INTEGER "
        "NOT NULL DEFAULT 0, updated_at INTEGER NOT NULL, PRIMARY KEY (store_key, job_id)"
    ),
    "exec_approvals_config": (
        "config_key TEXT NOT NULL PRIMARY KEY, raw_json TEXT NOT NULL, socket_path TEXT, has_socket_token INTEGER NOT "
        "NULL, default_security TEXT, default_ask TEXT, default_ask_fallback TEXT, auto_allow_skills INTEGER, agent_count "
        "INTEGER NOT NULL, allowlist_count INTEGER NOT NULL, updated_at_ms INTEGER NOT NULL"
    ),
    "acp_replay_sessions": (
        "session_id TEXT NOT NULL PRIMARY KEY, session_key TEXT NOT NULL, cwd TEXT NOT NULL, complete INTEGER NOT NULL, "
        "created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, next_seq INTEGER NOT NULL, estimated_bytes INTEGER NOT "
        "NULL DEFAULT 0"
    ),
    "acp_replay_events": (
        "session_id TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, session_key TEXT NOT NULL, run_id TEXT, "
        "update_json TEXT NOT NULL, estimated_bytes INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (session_id, seq)"
    ),
    "capture_sessions": (
        "id TEXT PRIMARY KEY, started_at INTEGER NOT NULL, ended_at INTEGER, mode TEXT NOT NULL, source_scope TEXT NOT "
        "NULL, source_process TEXT NOT NULL, proxy_url TEXT"
    ),
    "capture_events": (
        "id INTEGER NOT NULL PRIMARY KEY, session_id TEXT NOT NULL, ts INTEGER NOT NULL, source_scope TEXT NOT NULL, "
        "source_process TEXT NOT NULL, protocol TEXT NOT NULL, direction TEXT NOT NULL, kind TEXT NOT NULL, flow_id TEXT "
        "NOT NULL, method TEXT, host TEXT, path TEXT, status INTEGER, close_code INTEGER, content_type TEXT, headers_json "
        "TEXT, data_text TEXT, data_blob_id TEXT, data_sha256 TEXT, error_text TEXT, meta_json TEXT"
    ),
    "capture_blobs": (
        "blob_id TEXT NOT NULL PRIMARY KEY, content_type TEXT, encoding TEXT NOT NULL, size_bytes INTEGER NOT NULL, "
        "sha256 TEXT NOT NULL, data BLOB NOT NULL, created_at INTEGER NOT NULL"
    ),
    "operator_approvals": (
        "approval_id TEXT NOT NULL PRIMARY KEY, resolution_ref TEXT NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL, "
        "presentation_json TEXT NOT NULL, requested_by_device_id TEXT, requested_by_client_id TEXT, "
        "requested_by_device_token_auth INTEGER NOT NULL DEFAULT 0, reviewer_device_ids_json TEXT NOT NULL, "
        "source_agent_id TEXT, source_session_key TEXT, source_session_id TEXT, source_run_id TEXT, "
        "source_tool_call_id TEXT, source_tool_name TEXT, audience_session_keys_json TEXT NOT NULL, "
        "runtime_epoch TEXT NOT NULL, created_at_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL, "
        "updated_at_ms INTEGER NOT NULL, decision TEXT, terminal_reason TEXT, resolved_at_ms INTEGER, "
        "resolver_kind TEXT, resolver_id TEXT, consumed_at_ms INTEGER, consumed_by TEXT"
    ),
    "delivery_queue_entries": (
        "queue_name TEXT NOT NULL, id TEXT NOT NULL, status TEXT NOT NULL, entry_kind TEXT, session_key TEXT, channel "
        "TEXT, target TEXT, account_id TEXT, retry_count INTEGER NOT NULL DEFAULT 0, last_attempt_at INTEGER, last_error "
        "TEXT, recovery_state TEXT, platform_send_started_at INTEGER, entry_json TEXT NOT NULL, enqueued_at INTEGER NOT "
        "NULL, updated_at INTEGER NOT NULL, failed_at INTEGER, PRIMARY KEY (queue_name, id)"
    ),
    "plugin_state_entries": (
        "plugin_id TEXT NOT NULL, namespace TEXT NOT NULL, entry_key TEXT NOT NULL, value_json TEXT NOT NULL, created_at "
        "INTEGER NOT NULL, expires_at INTEGER, PRIMARY KEY (plugin_id, namespace, entry_key)"
    ),
    "skill_workshop_proposals": (
        "proposal_id TEXT NOT NULL PRIMARY KEY, record_json TEXT NOT NULL, owner_agent_id TEXT, kind TEXT NOT NULL, "
        "status TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, draft_hash TEXT NOT NULL, "
        "origin_agent_id TEXT, origin_session_key TEXT, origin_run_id TEXT, origin_message_id TEXT, applied_at TEXT, "
        "rejected_at TEXT, quarantined_at TEXT, stale_at TEXT, status_reason TEXT"
    ),
    "config_machine_state": ("state_key TEXT NOT NULL PRIMARY KEY, value_json TEXT NOT NULL, updated_at_ms INTEGER NOT NULL"),
    "meeting_transcript_sessions": (
        "session_id TEXT NOT NULL, started_at TEXT NOT NULL, selector TEXT NOT NULL, export_key TEXT NOT NULL, "
        "session_slug TEXT NOT NULL, provider_id TEXT NOT NULL, title TEXT, source_json TEXT NOT NULL, stopped_at TEXT, "
        "metadata_json TEXT, export_manifest_json TEXT NOT NULL DEFAULT '{}', export_pending_json TEXT NOT NULL DEFAULT "
        "'[]', next_utterance_seq INTEGER NOT NULL DEFAULT 0, created_at_ms INTEGER NOT NULL, updated_at_ms INTEGER NOT "
        "NULL, PRIMARY KEY (session_id, started_at)"
    ),
    "meeting_transcript_utterances": (
        "session_id TEXT NOT NULL, session_started_at TEXT NOT NULL, sequence INTEGER NOT NULL, utterance_id TEXT, "
        "started_at TEXT, ended_at TEXT, speaker_id TEXT, speaker_label TEXT, text TEXT NOT NULL, final INTEGER, "
        "metadata_json TEXT, PRIMARY KEY (session_id, session_started_at, sequence)"
    ),
    "meeting_transcript_summaries": (
        "session_id TEXT NOT NULL, session_started_at TEXT NOT NULL, generated_at TEXT, summary_json TEXT, markdown TEXT, "
        "utterance_count INTEGER NOT NULL, PRIMARY KEY (session_id, session_started_at)"
    ),
}

AGENT = {
    "session_nodes": (
        "session_key TEXT NOT NULL PRIMARY KEY, current_session_id TEXT NOT NULL, entry_json TEXT NOT NULL, "
        "legacy_acp_migration_json TEXT, entry_valid INTEGER NOT NULL DEFAULT 0, updated_at INTEGER NOT NULL, status "
        "TEXT, created_at INTEGER, created_via TEXT, created_actor_type TEXT, created_actor_id TEXT, owner_actor_type "
        "TEXT, owner_actor_id TEXT, owner_assigned_by_type TEXT, owner_assigned_by_id TEXT, owner_assigned_at INTEGER, "
        "project_id TEXT, parent_session_key TEXT, spawned_by TEXT, fork_source_session_key TEXT, fork_source_session_id "
        "TEXT, fork_source_entry_id TEXT, label TEXT, display_name TEXT, category TEXT, icon TEXT, pinned_at INTEGER, "
        "archived_at INTEGER, last_read_at INTEGER, last_interaction_at INTEGER, last_activity_at INTEGER"
    ),
    "session_windows": (
        "session_id TEXT NOT NULL PRIMARY KEY, session_key TEXT NOT NULL, previous_session_id TEXT, reason TEXT, "
        "session_scope TEXT NOT NULL DEFAULT 'conversation', created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, "
        "transcript_updated_at INTEGER DEFAULT NULL, transcript_observed_at INTEGER DEFAULT NULL, "
        "session_entry_provenance INTEGER NOT NULL DEFAULT 0, acp_owned INTEGER NOT NULL DEFAULT 0, plugin_owner_id TEXT, "
        "hook_external_content_source TEXT, started_at INTEGER, ended_at INTEGER, status TEXT, chat_type TEXT, channel "
        "TEXT, account_id TEXT, primary_conversation_id TEXT, model_provider TEXT, model TEXT, agent_harness_id TEXT, "
        "parent_session_key TEXT, spawned_by TEXT, display_name TEXT"
    ),
    "session_pending_inputs": (
        "seq INTEGER PRIMARY KEY, input_id TEXT NOT NULL, session_key TEXT NOT NULL, session_id TEXT NOT NULL, "
        "idempotency_key TEXT NOT NULL, run_id TEXT NOT NULL, request_hash TEXT NOT NULL, message_json TEXT NOT NULL, "
        "lifecycle_generation TEXT NOT NULL, state TEXT NOT NULL, accepted_at INTEGER NOT NULL, consumed_event_id TEXT"
    ),
    "transcript_events": (
        "session_id TEXT NOT NULL, seq INTEGER NOT NULL, event_json TEXT, created_at INTEGER NOT NULL, event_zstd BLOB, "
        "event_utf8_bytes INTEGER, navigation_json TEXT, PRIMARY KEY (session_id, seq)"
    ),
    "trajectory_runtime_events": (
        "session_id TEXT NOT NULL, seq INTEGER NOT NULL, run_id TEXT, event_json TEXT NOT NULL, created_at INTEGER NOT "
        "NULL, PRIMARY KEY (session_id, seq)"
    ),
    "acp_parent_stream_events": (
        "session_id TEXT NOT NULL, run_id TEXT NOT NULL, seq INTEGER NOT NULL, event_json TEXT NOT NULL, created_at "
        "INTEGER NOT NULL, PRIMARY KEY (session_id, run_id, seq)"
    ),
    "memory_index_chunks": (
        "chunk_rowid INTEGER PRIMARY KEY, id TEXT NOT NULL, path TEXT NOT NULL, source TEXT NOT NULL DEFAULT 'memory', "
        "start_line INTEGER NOT NULL, end_line INTEGER NOT NULL, hash TEXT NOT NULL, model TEXT NOT NULL, text TEXT NOT "
        "NULL, embedding BLOB NOT NULL, updated_at INTEGER NOT NULL"
    ),
    "cache_entries": (
        "scope TEXT NOT NULL, key TEXT NOT NULL, value_json TEXT, blob BLOB, expires_at INTEGER, updated_at INTEGER NOT "
        "NULL, PRIMARY KEY (scope, key)"
    ),
    "session_transcript_archives": (
        "session_id TEXT NOT NULL, generation TEXT NOT NULL, session_key TEXT NOT NULL, reason TEXT NOT NULL, encoding "
        "TEXT NOT NULL, archive_blob BLOB NOT NULL, archive_sha256 TEXT NOT NULL, archive_name TEXT NOT NULL, created_at "
        "INTEGER NOT NULL, published_at INTEGER, publish_attempts INTEGER NOT NULL DEFAULT 0, last_publish_attempt_at "
        "INTEGER, last_publish_error TEXT, PRIMARY KEY (session_id, generation)"
    ),
    "session_transcript_cold_archives": (
        "session_id TEXT NOT NULL PRIMARY KEY, generation TEXT NOT NULL, archive_name TEXT NOT NULL, archive_sha256 TEXT "
        "NOT NULL, event_count INTEGER NOT NULL, raw_bytes INTEGER NOT NULL, archive_bytes INTEGER NOT NULL, last_seq "
        "INTEGER NOT NULL, archived_at INTEGER NOT NULL, storage TEXT NOT NULL, archive_blob BLOB"
    ),
    "auth_profile_store": ("store_key TEXT NOT NULL PRIMARY KEY, store_json TEXT NOT NULL, updated_at INTEGER NOT NULL"),
}

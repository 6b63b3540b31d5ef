"""The audit trail on disk: SQLite, keys, mirrors of the head, daily files, archives, exports, syslog."""

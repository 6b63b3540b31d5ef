-- Gives each row the id by which doubles fall together.
function row_id(tag, timestamp, record)
    record["row_id"] = record["log_id"] .. "-" .. string.format("%d", record["seq"])
    return 2, timestamp, record
end

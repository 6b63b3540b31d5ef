-- Gives each row the id by which doubles fall together, and its severity.
function row_id(tag, timestamp, record)
    record["row_id"] = record["log_id"] .. "-" .. string.format("%d", record["seq"])
    record["row"] = record["action"] .. " " .. record["target"] .. " " .. record["status"] .. " " .. record["row_id"]
    return 2, timestamp, record
end

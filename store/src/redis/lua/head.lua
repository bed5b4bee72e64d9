-- Before every script: how keys are named. Everything lies under one hash tag, so every script runs in one slot.
local base = KEYS[1]
local function key(...) return base .. table.concat({...}, ':') end
-- Lua's own tostring would round a time in microseconds.
local function int(number) return string.format('%.0f', number) end
local function count(list) return int(#list) end
-- A flat list of fields and values as a table.
local function table_of(flat)
  local found = {}
  for i = 1, #flat, 2 do found[flat[i]] = flat[i + 1] end
  return found
end

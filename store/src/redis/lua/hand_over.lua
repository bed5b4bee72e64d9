-- rules, what becomes of the holder and of the heir (each with its id), when, why.
local function work()
  local both = {cjson.decode(args[2]), cjson.decode(args[3])}
  local moves, ended = {}, {}
  for i, change in ipairs(both) do
    local wrong = unlike(change.id, change.expected)
    if wrong then return wrong end
    local before = table_of(redis.call('HGETALL', key('account', change.id)))
    moves[i] = {id = change.id, before = before, after = changed(before, change)}
  end
  local wrong = judge(args[1], moves)
  if wrong then return wrong end
  for _, change in ipairs(both) do
    save(change.id, change)
    for _, session in ipairs(end_all(change.id, '', args[4], args[5])) do ended[#ended + 1] = session end
  end
  return {'ok', ended, account_of(both[1].id), account_of(both[2].id)}
end

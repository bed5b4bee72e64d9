-- after this name or empty, part of a text, whether names are looked at too, at most so many found, so many looked at, whether
-- roles are told, then hashes of roles. Answers where to go on, empty at the end, and the accounts.
local function work()
  local part, names, limit, roles = args[2], args[3] == '1', tonumber(args[4]), nil
  if args[6] == '1' then
    roles = {}
    for i = 7, #args do roles[args[i]] = true end
  end
  local after, found, looked_at, last = '-', {'ok', ''}, 0, ''
  if args[1] ~= '' then after = '(' .. args[1] .. '\1' end
  for _, entry in ipairs(redis.call('ZRANGEBYLEX', key('search'), after, '+', 'LIMIT', 0, args[5])) do
    local cut = string.find(entry, '\0', 1, true)
    local name, role = string.sub(entry, 1, cut - 1), string.sub(entry, cut + 33, cut + 96)
    looked_at, last = looked_at + 1, name
    if (not roles or roles[role])
      and ((names and string.find(name, part, 1, true)) or string.find(entry, part, cut + 97, true)) then
      found[#found + 1] = account_of(string.sub(entry, cut + 1, cut + 32))
      if #found - 2 >= limit then break end
    end
  end
  if #found - 2 >= limit or looked_at >= tonumber(args[5]) then found[2] = last end
  return found
end

-- after this name or empty, part of a text, whether names are looked at too, at most so many found, so many looked at, whether
-- roles are told, then hashes of roles. Answers where to go on, empty at the end, and the accounts.
local function work()
  local part, names, limit, roles = args[2], args[3] == '1', tonumber(args[4]), nil
  if args[6] == '1' then
    roles = {}
    for i = 7, #args do roles[args[i]] = true end
  end
  local after, found, last = '-', {'ok', ''}, nil
  if args[1] ~= '' then after = '(' .. args[1] .. '\1' end
  local find, sub = string.find, string.sub
  local entries = redis.call('ZRANGEBYLEX', key('search'), after, '+', 'LIMIT', 0, args[5])
  for _, entry in ipairs(entries) do
    -- Most hold it nowhere: looked at more closely only where they may.
    if find(entry, part, 1, true) then
      local cut = find(entry, '\0', 1, true)
      if (not roles or roles[sub(entry, cut + 33, cut + 96)])
        and ((names and find(sub(entry, 1, cut - 1), part, 1, true)) or find(entry, part, cut + 97, true)) then
        found[#found + 1] = account_of(sub(entry, cut + 1, cut + 32))
        if #found - 2 >= limit then
          last = entry
          break
        end
      end
    end
  end
  if #entries >= tonumber(args[5]) then last = last or entries[#entries] end
  if last then found[2] = sub(last, 1, find(last, '\0', 1, true) - 1) end
  return found
end

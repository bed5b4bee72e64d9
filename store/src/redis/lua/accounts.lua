-- The ids of those to read; who is gone is left out.
local function work()
  local found = {'ok'}
  for _, id in ipairs(args) do
    local account = account_of(id)
    if account then found[#found + 1] = account end
  end
  return found
end

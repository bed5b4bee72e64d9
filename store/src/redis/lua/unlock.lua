-- name hash. Ends every lock of the name and forgets its failures.
local function work() return {'ok', int(forget_name(args[1]))} end

return work()

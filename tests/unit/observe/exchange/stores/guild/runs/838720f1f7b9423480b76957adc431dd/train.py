
lr = 0.1
how = "well"
for step in range(3):
    print("step: %i" % step)
    print("loss: %f" % (1 / (step + 1)))
if how == "badly":
    raise ValueError("no luck")
print("accuracy: 0.75")

// RUN: loss-opt %s --loss-fuse --split-input-file --verify-diagnostics

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// expected-error @+1 {{expected two axes, rows and classes, but found 1}}
loss.program @axes(%x: tensor<?xf64, #b> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #b} {
  loss.yield %x : tensor<?xf64, #b>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

loss.program @rows(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  // expected-error @+1 {{expected a reduction over 'class', but found one over the rows 'batch': a loss returns one number a row, the caller reduces them}}
  %0 = loss.reduce sum %x over "batch" : tensor<?x?xf64, #bc> -> tensor<?xf64, #loss.axes<class>>
  %1 = loss.broadcast %0 : tensor<?xf64, #loss.axes<class>> to tensor<?x?xf64, #bc>
  %2 = loss.reduce sum %1 over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  loss.yield %2 : tensor<?xf64, #b>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

loss.program @softmax(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  // expected-error @+1 {{expected no softmax here; run loss-expand first}}
  %0 = loss.logsumexp %x over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  loss.yield %0 : tensor<?xf64, #b>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

loss.program @gather(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"},
                     %t: tensor<?xi64, #b> {loss.kind = "target", loss.name = "t"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  %0 = math.exp %x : tensor<?x?xf64, #bc>
  // expected-error @+1 {{expected a gather from an input; run loss-specialise first}}
  %1 = loss.gather %0 at %t over "class" : tensor<?x?xf64, #bc>, tensor<?xi64, #b> -> tensor<?xf64, #b>
  loss.yield %1 : tensor<?xf64, #b>
}

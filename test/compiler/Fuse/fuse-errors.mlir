// RUN: loss-opt %s --loss-fuse --split-input-file --verify-diagnostics

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

loss.program @softmax(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  // expected-error @+1 {{expected no loss.logsumexp here; run loss-expand first}}
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

# The work of speed.py in metafor; prints one line of JSON: work -> seconds of each run.
suppressMessages(library(metafor))
args <- commandArgs(trailingOnly = TRUE)
folder <- args[1]
drawn <- as.integer(args[2])
set <- function(k) read.csv(file.path(folder, paste0(k, ".csv")))
measured <- function(work, runs) {
  work()
  vapply(seq_len(runs), function(i) system.time(work())[["elapsed"]], 0)
}
many <- function(work, times) function() for (i in seq_len(times)) work()
found <- list()
for (k in c(10, 100, 10000)) {
  d <- set(k)
  # The clock of R is coarse: many fits at once.
  times <- if (k > 1000) 1 else 100
  name <- paste0("one fit, k = ", format(k, big.mark = ",", trim = TRUE, scientific = FALSE))
  # Its matrices of k x k do not fit for 10,000 studies.
  if (k <= 1000) found[[name]] <- measured(many(function() predict(rma(yi, vi, data = d, test = "knha")), times), 5) / times
}
once <- function(work) system.time(work())[["elapsed"]]
d <- set(20)
r <- rma(yi, vi, data = d, test = "knha")
found[[paste0("GOSH, ", format(drawn, big.mark = ","), " of k = 20")]] <- once(function() gosh(r, subsets = drawn, progbar = FALSE))
small <- rma(yi, vi, data = set(13), test = "knha")
found[["GOSH, all 8,191 of k = 13"]] <- once(function() gosh(small, progbar = FALSE))
moderated <- rma(yi, vi, mods = ~ x, data = d, test = "knha")
found[["permutation test, 1,000, k = 20"]] <- once(function() permutest(moderated, iter = 1000, progbar = FALSE))
found[["leave-one-out and influence, k = 20"]] <- measured(function() { leave1out(r); influence(r) }, 3)
found[["cold start"]] <- measured(function() system2("Rscript", c("--vanilla", "-e", shQuote("suppressMessages(library(metafor))"))), 3)
cells <- vapply(names(found), function(name) sprintf('"%s": [%s]', name, paste(format(found[[name]], digits = 6), collapse = ", ")), "")
cat("{", paste(cells, collapse = ", "), "}\n", sep = "")

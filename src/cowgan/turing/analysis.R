# Mixed-effects logistic regression of a visual Turing test, with readers and cases random.
# Needs R with lme4. Run it where trials.csv lies: Rscript analysis.R

library(lme4)

trials <- read.csv("trials.csv", stringsAsFactors = TRUE)
trials <- subset(trials, primary == 1)
trials$order <- ave(trials$trial, trials$reader, FUN = rank)

# The intercept is the log odds of a right answer; a difference between kinds is bias.
accuracy <- glmer(
  correct ~ truth + scale(order) + (1 | reader) + (1 | case),
  data = trials, family = binomial
)
print(summary(accuracy))

# On the probit scale the coefficient of truth is d', and the intercept is the criterion c
# with its sign turned.
trials$positive <- as.integer(trials$rating > 0)
detection <- glmer(
  positive ~ truth_contrast + (1 + truth_contrast | reader) + (1 | case),
  data = transform(trials, truth_contrast = ifelse(truth %in% c("G", "right"), 0.5, -0.5)),
  family = binomial(link = "probit")
)
print(summary(detection))

# Response times.
times <- lmer(
  log(answer_s) ~ truth * correct + level + scale(order) + (1 | reader) + (1 | case),
  data = subset(trials, answer_s > 0)
)
print(summary(times))
